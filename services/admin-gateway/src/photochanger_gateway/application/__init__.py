"""What the gateway does: one photo in and a picture out, public results, galleries, health."""
