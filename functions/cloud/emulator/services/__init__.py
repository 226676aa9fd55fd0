"""The emulated services: one module each, found by listing this folder, for the emulator's route table."""
