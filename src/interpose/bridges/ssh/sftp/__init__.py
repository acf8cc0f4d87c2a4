"""Files over SSH: the gateway is the server of its client's SFTP and the client of its upstream's, and judges every operation in between."""
