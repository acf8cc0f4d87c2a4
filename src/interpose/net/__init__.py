"""Floor 3: sockets. Listeners, TLS, dialling and the driver that runs any protocol's relay; knows no protocol and no policy."""
