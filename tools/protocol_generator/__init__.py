"""The parts of tools/generate_protocol.py: read the notation (notation), print C++ from it (everything else)."""
