"""Papers and books whose definition a feature follows, as they are cited in the data dictionary."""

FADER_HARDIE_LEE_BG_NBD = (
    'Fader, P., Hardie, B. and Lee, K. (2005). "Counting your customers" the easy way. Marketing Science 24(2), '
    "275-284. doi:10.1287/mksc.1040.0098"
)
FADER_HARDIE_LEE_VALUE = (
    "Fader, P., Hardie, B. and Lee, K. (2005). RFM and CLV: Using iso-value curves for customer base analysis. "
    "Journal of Marketing Research 42(4), 415-430. doi:10.1509/jmkr.2005.42.4.415"
)
GOH_BARABASI = (
    "(1 - B) / 2 of the burstiness B in Goh, K.-I. and Barabási, A.-L. (2008). Burstiness and memory in complex "
    "systems. EPL 81, 48002. doi:10.1209/0295-5075/81/48002"
)
HUGHES = "Hughes, A. M. (1994). Strategic Database Marketing. Probus"
RHOADES = "Rhoades, S. A. (1993). The Herfindahl-Hirschman index. Federal Reserve Bulletin 79, 188-189"
SHANNON = (
    "Shannon, C. E. (1948). A mathematical theory of communication. Bell System Technical Journal 27(3), 379-423. "
    "doi:10.1002/j.1538-7305.1948.tb01338.x"
)
