"""The SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions: packets as values, and back. No IO, no policy."""
