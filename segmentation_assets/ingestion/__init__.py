"""From delivered files to classified order lines: reading, typing, quarantine, classification, reconciliation."""
