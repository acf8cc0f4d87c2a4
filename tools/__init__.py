"""Programs for who keeps or checks Interpose; none of them is part of the gateway."""
