"""`python -m etapalvelu` is the program `etapalvelu`."""

from etapalvelu.cli import main

main()
