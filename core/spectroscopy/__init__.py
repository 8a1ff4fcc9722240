"""What a spectrum says by itself: lines, template fits, line fluxes."""
