"""How events arrive and leave."""
