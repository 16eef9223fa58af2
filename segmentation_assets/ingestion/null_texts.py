"""Texts that tools write where there is no value."""

NO_VALUE = frozenset(
    {"nan", "null", "none", "n/a", "na", "#n/a", "#null!", "(null)", "\\n", "nil", "-", "--", "unknown", "unspecified",
     "undefined", "unbekannt", "keine angabe", "k.a.", "inconnu", "non renseigné", "desconocido", "onbekend"}
)  # fmt: skip
"""Such texts in lower case. They are told and proposed, and mean no value only where ``null_values`` lists them."""
