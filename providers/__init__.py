"""The upstreams behind one interface. They report facts; they never retry, sleep, log or decide."""
