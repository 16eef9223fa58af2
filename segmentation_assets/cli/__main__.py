"""Makes ``python -m segmentation_assets.cli`` the same as the `segmentation` command."""

import sys

from segmentation_assets.cli.main import main

sys.exit(main())
