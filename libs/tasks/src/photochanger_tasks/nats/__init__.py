"""The engine on JetStream: tickets."""
