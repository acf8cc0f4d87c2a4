"""What happened, kept so that alteration shows: the audit chain, the recording format, verification, replay, exports.

Pure: bytes in, bytes out. Files, threads and clocks are in `store.files`.
"""
