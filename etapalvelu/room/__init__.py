"""The program on the room PC: document camera, stills, its seat in the call."""
