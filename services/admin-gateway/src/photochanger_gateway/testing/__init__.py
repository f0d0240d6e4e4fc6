"""What the gateway's tests stand on: the services it calls, made small, and a camera on a raw socket."""
