"""Floor 1: policy. Cedar schema, loading with file and line, request building, judgement, explanation and policy tests.

Pure: no asyncio, sockets, clocks or randomness. Files are read by `folder.read_folder` at load time only.
"""
