"""Shapes of payloads, answers and results: marshmallow only."""
