package mapping

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// role is what a column seems to be for.
type role string

const (
	roleID       role = "id"
	roleShop     role = "shop"
	roleTill     role = "till"
	roleTime     role = "time"
	roleDate     role = "date"
	roleClock    role = "clock" // a time of day beside a date
	roleValue    role = "value"
	roleCurrency role = "currency"
	roleStatus   role = "status"
	roleConsent  role = "consent"
	roleURL      role = "event_source_url"
	roleEventID  role = "event_id"

	roleLineID       role = "lines.id"
	roleLineQuantity role = "lines.quantity"
	roleLinePrice    role = "lines.item_price"
	roleLineTitle    role = "lines.title"
)

// headerNames are words of headers, by role, in English, German, French, Spanish,
// Italian, Dutch and Portuguese. They are compared after foldHeader. A column gets
// the role that matches best; earlier words are better matches.
var headerNames = []struct {
	role  role
	words []string
}{
	{roleID, []string{"orderid", "ordernumber", "orderno", "ordernr", "orderref", "orderreference", "invoiceno", "invoicenumber", "invoiceid", "invoice",
		"receipt", "receiptno", "receiptnumber", "receiptid", "transactionid", "transactionno", "transactionnumber", "saleid", "ticket", "ticketno", "ticketnumber", "docno", "documentno",
		"bestellnummer", "bestellnr", "bestellid", "auftragsnummer", "auftragsnr", "rechnungsnummer", "rechnungsnr", "belegnummer", "belegnr", "beleg", "bon", "bonnummer", "bonnr",
		"numerocommande", "numerodecommande", "nocommande", "commande", "idcommande", "numerofacture", "facture", "numeroticket",
		"numeropedido", "numerodepedido", "pedido", "idpedido", "numerofactura", "factura", "fattura", "numerofattura", "ordine", "numeroordine", "idordine", "scontrino", "numeroscontrino",
		"bestelnummer", "ordernummer", "factuurnummer", "bonnummer", "encomenda", "numeroencomenda", "numerodopedido", "order", "orderkey", "name"}},
	{roleShop, []string{"shop", "store", "storeid", "shopid", "storecode", "storeno", "storenumber", "branch", "branchid", "outlet", "location", "locationid", "site",
		"filiale", "filialnummer", "filialnr", "laden", "markt", "magasin", "boutique", "tienda", "sucursal", "negozio", "puntovendita", "winkel", "filiaal", "loja"}},
	{roleTill, []string{"till", "tillid", "tillno", "register", "registerid", "terminal", "terminalid", "pos", "posid", "lane", "kasse", "kassennummer", "kassennr", "caisse", "caja", "cassa", "kassa", "caixa"}},
	{roleTime, []string{"datetime", "timestamp", "createdat", "paidat", "orderdate", "orderedat", "placedat", "invoicedate", "saledate", "transactiondate", "transactiontime", "eventtime", "purchasedat", "completedat", "processedat", "closedat",
		"bestelldatum", "auftragsdatum", "rechnungsdatum", "belegdatum", "verkaufsdatum", "zeitstempel", "zeitpunkt", "datecommande", "datedecommande", "datefacture", "fechapedido", "fechahora", "fechacompra", "dataordine", "besteldatum", "datapedido", "datacompra", "created", "paid"}},
	{roleDate, []string{"date", "day", "datum", "tag", "fecha", "data", "businessdate"}},
	{roleClock, []string{"time", "clock", "uhrzeit", "zeit", "heure", "hora", "ora", "tijd"}},
	{roleValue, []string{"total", "ordertotal", "totalprice", "totalamount", "grandtotal", "amount", "amountpaid", "value", "revenue", "gross", "grosstotal", "turnover", "sales", "net", "nettotal", "subtotal", "price",
		"gesamt", "gesamtbetrag", "gesamtsumme", "summe", "betrag", "brutto", "bruttobetrag", "umsatz", "rechnungsbetrag", "montant", "montanttotal", "montantttc", "totalttc", "prix", "importe", "importetotal", "monto", "importo", "totale", "importototale",
		"bedrag", "totaalbedrag", "totaal", "omzet", "valor", "valortotal", "montante"}},
	{roleCurrency, []string{"currency", "currencycode", "ccy", "waehrung", "wahrung", "devise", "monnaie", "moneda", "divisa", "valuta", "moeda"}},
	{roleStatus, []string{"status", "orderstatus", "financialstatus", "paymentstatus", "zahlungsstatus", "bestellstatus", "statut", "estado", "stato"}},
	{roleConsent, []string{"consent", "adconsent", "adsconsent", "consentads", "marketingconsent", "acceptsmarketing", "buyeracceptsmarketing", "gdprconsent", "einwilligung", "werbeeinwilligung", "consentement", "consentimiento", "consenso", "toestemming", "consentimento"}},
	{roleURL, []string{"eventsourceurl", "pageurl", "url", "landingsite", "landingpage", "checkouturl", "pagelocation", "sourceurl", "page"}},
	{roleEventID, []string{"eventid", "webeventid", "pixeleventid", "browsereventid", "metaeventid", "facebookeventid", "fbeventid"}},

	{"user.em", []string{"email", "emailaddress", "mail", "customeremail", "contactemail", "buyeremail", "billingemail", "em", "correo", "correoelectronico", "courriel", "mailadresse", "emailadresse", "posta", "epost", "adresseemail", "indirizzoemail"}},
	{"user.ph", []string{"phone", "phonenumber", "telephone", "mobile", "mobilenumber", "mobilephone", "cell", "cellphone", "customerphone", "billingphone", "shippingphone", "tel", "ph", "telefon", "telefonnummer", "handy", "handynummer", "mobil", "mobilnummer",
		"telefono", "movil", "portable", "numerodetelephone", "cellulare", "telefoonnummer", "telefoon", "gsm", "telefone", "telemovel", "celular", "msisdn"}},
	{"user.fn", []string{"firstname", "givenname", "forename", "customerfirstname", "billingfirstname", "fn", "vorname", "prenom", "nombre", "nome", "voornaam", "primeironome"}},
	{"user.ln", []string{"lastname", "surname", "familyname", "customerlastname", "billinglastname", "ln", "nachname", "familienname", "nomdefamille", "nom", "apellido", "apellidos", "cognome", "achternaam", "sobrenome", "apelido"}},
	{"user.db", []string{"birthdate", "dateofbirth", "birthday", "dob", "db", "geburtsdatum", "geburtstag", "datenaissance", "datedenaissance", "fechanacimiento", "fechadenacimiento", "datanascita", "datadinascita", "geboortedatum", "datanascimento", "datadenascimento"}},
	{"user.ge", []string{"gender", "sex", "ge", "geschlecht", "anrede", "sexe", "genre", "genero", "sexo", "sesso", "genere", "geslacht"}},
	{"user.ct", []string{"city", "town", "billingcity", "shippingcity", "ct", "stadt", "ort", "wohnort", "ville", "ciudad", "citta", "stad", "plaats", "woonplaats", "cidade"}},
	{"user.st", []string{"state", "province", "region", "billingprovince", "billingstate", "shippingprovince", "county", "st", "bundesland", "kanton", "departement", "provincia", "provincie"}},
	{"user.zp", []string{"zip", "zipcode", "postcode", "postalcode", "billingzip", "shippingzip", "zp", "plz", "postleitzahl", "codepostal", "codigopostal", "cp", "cap", "codicepostale", "cep"}},
	{"user.country", []string{"country", "countrycode", "billingcountry", "shippingcountry", "land", "staat", "laendercode", "pays", "pais", "paese", "nazione"}},
	{"user.external_id", []string{"customerid", "customerno", "customernumber", "customer", "clientid", "userid", "memberid", "loyaltyid", "loyaltycard", "cardno", "contactid", "externalid", "kundennummer", "kundennr", "kundenid", "kunde", "idclient", "numeroclient", "codigocliente", "idcliente", "codicecliente", "klantnummer", "klantid"}},
	{"user.client_ip_address", []string{"clientipaddress", "ip", "ipaddress", "clientip", "browserip", "remoteaddr", "customeripaddress"}},
	{"user.client_user_agent", []string{"clientuseragent", "useragent", "browseruseragent", "ua", "customeruseragent"}},
	{"user.fbc", []string{"fbc", "facebookclickid"}},
	{"user.fbp", []string{"fbp", "facebookbrowserid"}},
	{"user.lead_id", []string{"leadid", "facebookleadid", "metaleadid"}},
	{"user.madid", []string{"madid", "idfa", "gaid", "advertisingid", "advertiserid"}},

	{roleLineID, []string{"sku", "stockcode", "productid", "productcode", "itemid", "itemcode", "itemno", "articleid", "variantid", "variantsku", "lineitemsku", "ean", "gtin", "barcode", "artikelnummer", "artikelnr", "artikel", "reference", "referencia", "codigo", "codicearticolo", "artikelcode"}},
	{roleLineQuantity, []string{"quantity", "qty", "units", "itemquantity", "lineitemquantity", "menge", "anzahl", "stueck", "stuck", "quantite", "cantidad", "unidades", "quantita", "aantal", "quantidade"}},
	{roleLinePrice, []string{"unitprice", "itemprice", "lineprice", "priceperunit", "lineitemprice", "einzelpreis", "stueckpreis", "stuckpreis", "prixunitaire", "preciounitario", "prezzounitario", "stukprijs", "prijs", "precounitario"}},
	{roleLineTitle, []string{"description", "title", "productname", "itemname", "lineitemname", "product", "item", "bezeichnung", "artikelbezeichnung", "produkt", "designation", "libelle", "produit", "descripcion", "producto", "descrizione", "prodotto", "omschrijving", "descricao", "produto"}},
}

// foldHeader leaves the letters and digits of a header, without case and accents.
func foldHeader(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFD.String(s))
}

// headerRank says how well a header names a role: 0 is best, -1 not at all. The
// last part of a path (customer.email) counts less than the whole.
func headerRank(header string, words []string) int {
	whole := foldHeader(header)
	last := whole
	if i := strings.LastIndexByte(header, '.'); i >= 0 {
		last = foldHeader(header[i+1:])
	}
	for i, w := range words {
		switch {
		case w == whole:
			return i
		case w == last:
			return 1000 + i
		}
	}
	return -1
}
