"""How people look in and steer: the terminal, the simulator and the demo."""
