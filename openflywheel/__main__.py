"""`python -m openflywheel` is the command `flywheel`."""

from openflywheel.window.terminal import main

main()
