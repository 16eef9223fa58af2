"""The names that shops and their tools give to the columns that are read, in five languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import Literal

Strength = Literal["plain", "loose", "none"]

_PLAIN: dict[str, str] = {
    "order_id": "order id|order no|order number|order nr|order|invoice|invoice no|invoice id|invoice number|invoice nr|"
    "transaction id|transaction no|transaction number|receipt id|receipt no|receipt number|basket id|bill no|"
    "sales order|ticket id|ticket number|purchase id|document no|Bestellnr|Bestellnummer|Bestell-ID|Auftragsnr|"
    "Auftragsnummer|Rechnungsnr|Rechnungsnummer|Rechnung|Belegnr|Belegnummer|Bonnr|Bonnummer|numéro de commande|"
    "no commande|n° commande|id commande|numéro commande|numéro de facture|no facture|n° facture|facture|"
    "número de pedido|nº pedido|id pedido|pedido|número de factura|nº factura|factura|bestelnummer|bestelnr|"
    "bestelling|ordernummer|ordernr|factuurnummer|factuurnr|bonnummer",
    "order_at": "order at|order date|ordered at|ordered on|order time|order datetime|order timestamp|invoice date|"
    "invoice datetime|invoice timestamp|transaction date|transaction time|transaction timestamp|transaction datetime|"
    "purchase date|purchased at|purchase timestamp|order purchase timestamp|sale date|sales date|receipt date|"
    "date of order|date of purchase|Bestelldatum|Auftragsdatum|Rechnungsdatum|Belegdatum|Kaufdatum|Bondatum|"
    "date de commande|date commande|date de facture|date facture|date d'achat|date achat|fecha de pedido|"
    "fecha pedido|fecha de factura|fecha factura|fecha de compra|fecha compra|besteldatum|orderdatum|factuurdatum|"
    "aankoopdatum",
    "customer_id": "customer id|customer no|customer number|customer nr|customer key|customer code|cust id|cust no|"
    "client id|client no|client number|user id|member id|membership no|loyalty id|loyalty card|card no|account id|"
    "buyer id|shopper id|customer unique id|Kundennr|Kundennummer|Kunden-ID|Kunde-ID|Debitor|Debitorennr|"
    "Debitorennummer|numéro client|no client|n° client|id client|code client|número de cliente|nº cliente|"
    "id cliente|código cliente|klantnummer|klantnr|klant id",
    "product_id": "product id|product no|product number|product code|product key|product sku|stock code|sku|sku id|"
    "item id|item no|item number|item code|article|article id|article no|article number|ean|gtin|upc|barcode|plu|"
    "variant sku|line item sku|Artikelnr|Artikelnummer|Artikel-ID|Produktnr|Produktnummer|Produkt-ID|"
    "référence|réf produit|référence produit|référence article|code produit|code article|id produit|id article|"
    "código de producto|código producto|código artículo|id producto|referencia|artikelcode|productcode|productnummer|"
    "product id",
    "quantity": "quantity|qty|quantity sold|quantity ordered|order quantity|ordered quantity|units|units sold|pieces|"
    "item quantity|line item quantity|pcs|Menge|Anzahl|Stückzahl|Bestellmenge|quantité|qté|nombre|cantidad|cant|"
    "unidades|aantal|hoeveelheid",
    "unit_price": "unit price|price per unit|price each|price per item|item price|line item price|selling price|"
    "sales price|net unit price|unit price net|Einzelpreis|Stückpreis|Verkaufspreis|Preis je Stück|Preis pro Stück|"
    "prix unitaire|prix de vente|PU|precio unitario|precio unidad|precio de venta|stukprijs|prijs per stuk|"
    "eenheidsprijs|verkoopprijs",
    "product_name": "product name|description|product description|item name|item description|product title|"
    "line item name|article name|article description|Artikelbezeichnung|Artikelname|Bezeichnung|Produktname|"
    "Beschreibung|désignation|libellé|nom du produit|nom produit|descripción|nombre producto|nombre del producto|"
    "omschrijving|productnaam|artikelnaam|artikelomschrijving",
    "country": "country|country code|country name|billing country|shipping country|Land|Länderkennung|pays|país|"
    "landcode",
    "channel": "channel|sales channel|order channel|Kanal|Vertriebskanal|Verkaufskanal|canal|canal de vente|"
    "canal de venta|kanaal|verkoopkanaal",
    "store_id": "store id|store|store no|store number|store code|shop id|branch|branch id|outlet|outlet id|Filiale|"
    "Filialnr|Filialnummer|magasin|id magasin|tienda|id tienda|winkel|winkelnummer|filiaal",
    "brand": "brand|brand name|market|Marke|marque|marca|merk",
    "list_price": "list price|regular price|original price|full price|rrp|msrp|compare at price|price before discount|"
    "Listenpreis|UVP|prix catalogue|precio de lista|adviesprijs|catalogusprijs",
    "cost_price": "cost price|unit cost|cost|purchase price|cogs|standard cost|Einkaufspreis|EK|EK-Preis|Kosten|"
    "prix d'achat|prix achat|coût|precio de compra|coste|inkoopprijs|kostprijs",
    "currency": "currency|currency code|Währung|devise|moneda|divisa|valuta",
    "vat_rate": "vat rate|vat percent|tax rate|MwSt-Satz|MwSt|Steuersatz|taux de TVA|taux TVA|tipo de IVA|btw-tarief|"
    "btw-percentage",
    "registered_on": "registered on|registered at|registration date|registered|signup date|sign up date|signup|"
    "joined|join date|member since|customer since|created at|created on|date created|account created|"
    "Registrierungsdatum|Registriert am|Anmeldedatum|Kunde seit|Anlagedatum|date d'inscription|date inscription|"
    "fecha de registro|fecha registro|fecha de alta|registratiedatum|klant sinds|aanmeldingsdatum",
    "birth_year": "birth year|year of birth|yob|Geburtsjahr|année de naissance|año de nacimiento|geboortejaar",
    "gender": "gender|sex|Geschlecht|Anrede|sexe|genre|sexo|género|geslacht",
    "household_size": "household size|household|persons in household|Haushaltsgröße|taille du foyer|"
    "tamaño del hogar|huishoudgrootte|gezinsgrootte",
    "acquisition_channel": "acquisition channel|acquisition source|acquisition|source|utm source|lead source|"
    "marketing channel|Herkunft|Akquisekanal|canal d'acquisition|canal de adquisición|acquisitiekanaal",
    "newsletter_since": "newsletter since|newsletter date|newsletter opt in|newsletter opt in date|subscribed at|"
    "subscribed on|accepts marketing since|Newsletter seit|Newsletteranmeldung|inscription newsletter|"
    "newsletter desde|nieuwsbrief sinds",
    "account_type": "account type|customer type|customer group|client type|Kundengruppe|Kundentyp|Kontotyp|"
    "type de client|type client|tipo de cliente|tipo cliente|klanttype|klantgroep",
    "department": "department|department name|product group|product category|main category|category|category name|"
    "product type|Abteilung|Warengruppe|Kategorie|Produktgruppe|Hauptkategorie|rayon|catégorie|famille|"
    "departamento|categoría|familia|afdeling|categorie|productgroep",
    "class": "class|class name|subcategory|sub category|sub department|product class|product subcategory|Klasse|"
    "Unterkategorie|Unterwarengruppe|sous-catégorie|sous-famille|classe|subcategoría|subfamilia|subcategorie",
    "child_age": "child age|age group|age range|Altersgruppe|âge|tranche d'âge|edad|leeftijd|leeftijdsgroep",
    "size": "size|product size|Größe|taille|talla|maat",
    "event_at": "event at|event time|event timestamp|event date|event datetime|occurred at|happened at|visited at|"
    "opened at|clicked at|Ereigniszeit|Ereignisdatum|Zeitstempel|horodatage|date événement|date de l'événement|"
    "fecha del evento|fecha evento|tijdstip|gebeurtenisdatum",
    "event_type": "event type|event|event name|activity type|activity|interaction|Ereignis|Ereignistyp|Ereignisart|"
    "événement|type d'événement|evento|tipo de evento|gebeurtenis",
}  # fmt: skip
"""Our column → names that say it plainly."""

_LOOSE: dict[str, str] = {
    "order_id": "basket|bill|receipt|ticket|transaction|purchase|Auftrag|Bestellung|Beleg|Bon|commande|compra",
    "order_at": "date|datetime|time|timestamp|day|created at|paid at|processed at|Datum|Zeit|Tag|fecha|jour|datum tijd",
    "customer_id": "customer|client|user|member|account|buyer|email|e-mail|id|Kunde|cliente|klant",
    "product_id": "product|item|code|reference|ref|id|Artikel|Produkt|produit|producto|artículo",
    "quantity": "count|number|volume|amount ordered|nb|Stück|number of items",
    "unit_price": "price|unit amount|rate|Preis|VK|prix|precio|prijs",
    "product_name": "name|title|text|product|item|Name|nom|nombre|naam|titel|Artikel|Produkt|produit|producto",
    "country": "region|nation|market",
    "channel": "platform|medium|sales type",
    "store_id": "location|site|shop|Laden",
    "registered_on": "date|created|since|Datum|fecha",
    "department": "group|division|Gruppe|groupe|grupo|groep|type",
    "event_at": "timestamp|time|date|datetime|created at|Datum|Zeit|fecha",
    "event_type": "type|action|kind|Typ|Aktion|tipo|actie",
    "account_type": "type|segment|group|status",
}
"""Our column → names that may mean it, among other things."""

_UNIT_WORDS = (
    "eur|euro|euros|gbp|usd|chf|dkk|sek|nok|pln|cad|aud|net|gross|netto|brutto|utc|cet|local|incl|excl|vat|in|the"
)
_WITHOUT_MEANING = frozenset(_UNIT_WORDS.split("|"))


def normalised(name: str) -> str:
    """Return a column name without case, accents, blanks and punctuation.

    Examples
    --------
    >>> normalised("Customer ID"), normalised("Stückzahl"), normalised("N° commande")
    ('customerid', 'stuckzahl', 'ncommande')
    """
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("°", "")).casefold()
    return "".join(character for character in plain if character.isalnum())


def strength_of(field: str, header: str) -> Strength:
    """Say how well the name of a column in a file fits one of our columns.

    Parameters
    ----------
    field : str
        Our column, such as ``order_id``.
    header : str
        Name in the file.

    Returns
    -------
    str
        ``plain`` where it is a name for nothing else, ``loose`` where it may mean that among other things, ``none``.

    Examples
    --------
    >>> [strength_of("unit_price", name) for name in ("UnitPrice", "Price (EUR)", "Tax")]
    ['plain', 'loose', 'none']
    """
    name, core = normalised(header), _core(header)
    plain, loose = _names(field)
    if name in plain:
        return "plain"
    return "loose" if name in loose or core in plain or core in loose else "none"


def count_known(header: Sequence[str]) -> int:
    """Count the names of a header that say plainly which of our columns they are."""
    return sum(any(strength_of(field, name) == "plain" for field in _PLAIN) for name in header)


def closest_header(field: str, headers: Sequence[str]) -> str | None:
    """Return the header that is written most like some name of our column, if one is."""
    plain, loose = _names(field)
    by_name = {normalised(header): header for header in headers if normalised(header)}
    scored = [
        name
        for known in sorted(plain | loose | {normalised(field)})
        for name in get_close_matches(known, by_name, 1, 0.75)
    ]
    inside = [name for name in by_name for known in sorted(plain) if len(known) > 3 and known in name]
    found = [*scored, *inside]
    return by_name[max(sorted(set(found)), key=found.count)] if found else None


def _core(header: str) -> str:
    """Normalise a name without its words that only say a unit."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    words = [normalised(word) for word in re.split(r"[\W_]+", spaced)]
    return "".join(word for word in words if word not in _WITHOUT_MEANING)


@cache
def _names(field: str) -> tuple[frozenset[str], frozenset[str]]:
    plain = frozenset(normalised(name) for name in (*_PLAIN[field].split("|"), field))
    loose = frozenset(normalised(name) for name in _LOOSE.get(field, "").split("|") if name)
    return plain, loose
