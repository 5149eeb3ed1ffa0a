"""Words for made-up papers: what an office could write, in Finnish and Swedish. No person, address or case in them is real."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Phrases:
    language: str
    tesseract: str
    office: str
    titles: tuple[str, ...]
    headings: tuple[str, ...]
    sentences: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[str, ...]
    goods: tuple[str, ...]
    receiver: tuple[str, ...]
    closing: str
    stamp: str
    total: str
    small: tuple[str, ...]
    card: str


FINNISH: Final = Phrases(
    language="fi",
    tesseract="fin",
    office="MALLIVIRASTO",
    titles=(
        "Päätös yleisestä asumistuesta",
        "Päätös sairauspäivärahasta",
        "Lisäselvityspyyntö",
        "Ilmoitus maksun muuttumisesta",
        "Todistus asuinpaikasta",
        "Päätös kuntoutusrahasta",
    ),
    headings=(
        "Miten tuki on laskettu",
        "Ilmoittakaa muutoksista",
        "Muutoksenhaku",
        "Päätöksen perustelut",
        "Maksaminen",
        "Tarvittavat liitteet",
        "Mitä teidän pitää tehdä",
    ),
    sentences=(
        "Olemme käsitelleet hakemuksenne ja tarkistaneet siihen liitetyt asiakirjat.",
        "Teille myönnetään tukea 1.9. alkaen toistaiseksi.",
        "Tuki maksetaan kuukauden ensimmäisenä arkipäivänä ilmoittamallenne tilille.",
        "Jos tulonne, vuokranne tai ruokakuntanne muuttuu, ilmoittakaa siitä heti.",
        "Päätös perustuu niihin tietoihin, jotka olette antanut hakemuksessa.",
        "Voitte lähettää puuttuvat liitteet verkkopalvelussa tai tuoda ne palvelupisteeseen.",
        "Hyväksyttyinä asumismenoina otetaan huomioon enintään 612,00 euroa kuukaudessa.",
        "Liikaa maksettu etuus voidaan periä takaisin.",
        "Valitusaika on 30 päivää siitä, kun saitte päätöksen tiedoksi.",
        "Valitus tehdään kirjallisesti ja siihen liitetään tämä päätös.",
        "Ruokakuntaan kuuluvat samassa asunnossa asuvat henkilöt.",
        "Säilyttäkää kuitit ja tositteet vähintään kaksi vuotta.",
        "Lääkärinlausunto ei saa olla kolmea kuukautta vanhempi.",
        "Opintotukea myönnetään enintään yhdeksäksi kuukaudeksi lukuvuodessa.",
        "Työttömyysaikana haettava etuus on ilmoitettava erikseen.",
        "Lapsilisä maksetaan kuukausittain lapsen huoltajalle.",
        "Pyydämme toimittamaan selvityksen viimeistään 15.10. mennessä.",
        "Vuokrasopimuksesta on käytävä ilmi vuokran määrä ja asunnon pinta-ala.",
        "Matkakorvauksen omavastuu on 25,00 euroa yhdeltä matkalta.",
        "Voitte varata ajan puhelimitse arkisin kello 9 ja 16 välillä.",
        "Etuutta ei makseta siltä ajalta, jolta saatte palkkaa.",
        "Hakemus tulee vireille sinä päivänä, jona se saapuu toimistoon.",
        "Kuntoutuksen tavoitteista sovitaan yhdessä työnantajan kanssa.",
        "Tämä kirje on keksitty kokeilua varten, eikä siinä ole kenenkään tietoja.",
    ),
    labels=(
        "Nimi",
        "Lähiosoite",
        "Postinumero ja toimipaikka",
        "Puhelinnumero",
        "Pankkitili",
        "Haettava etuus",
        "Alkamispäivä",
        "Lisätietoja",
    ),
    rows=(
        "Hyväksytyt asumismenot",
        "Perusomavastuu",
        "Tulot yhteensä",
        "Vähennykset",
        "Veron osuus",
        "Sähkö ja lämmitys",
        "Vesimaksu",
        "Hoitomenot",
        "Lainan korot",
    ),
    goods=(
        "Ruisleipä",
        "Maito 1 l",
        "Kahvi",
        "Omenat",
        "Särkylääke",
        "Perunat",
        "Voi",
        "Kaurahiutaleet",
        "Mustikat",
        "Hammastahna",
    ),
    receiver=("Malliasiakas", "Esimerkkikuja 0", "00000 MALLILA"),
    closing="Ystävällisin terveisin",
    stamp="SAAPUNUT",
    total="YHTEENSÄ",
    small=(
        "Pienellä painettu ohje: tarkemmat ehdot ovat nähtävissä palvelupisteessä ja verkkosivuilla.",
        "Asiakaspalvelu vastaa arkisin. Puhelun hinta on tavallinen paikallisverkkomaksu.",
    ),
    card="MALLIKORTTI",
)

SWEDISH: Final = Phrases(
    language="sv",
    tesseract="swe",
    office="MODELLVERKET",
    titles=(
        "Beslut om allmänt bostadsbidrag",
        "Beslut om sjukdagpenning",
        "Begäran om tilläggsutredning",
        "Meddelande om ändrad betalning",
        "Intyg över bostadsort",
        "Beslut om rehabiliteringspenning",
    ),
    headings=(
        "Hur stödet har räknats ut",
        "Meddela ändringar",
        "Ändringssökande",
        "Motivering till beslutet",
        "Utbetalning",
        "Bilagor som behövs",
        "Vad du ska göra",
    ),
    sentences=(
        "Vi har behandlat din ansökan och granskat de handlingar som bifogats.",
        "Du beviljas stöd från och med 1.9. tills vidare.",
        "Stödet betalas den första vardagen i månaden till det konto du har uppgett.",
        "Om dina inkomster, din hyra eller ditt hushåll ändras ska du meddela det genast.",
        "Beslutet grundar sig på de uppgifter som du har lämnat i ansökan.",
        "Du kan skicka bilagorna i webbtjänsten eller lämna dem på servicestället.",
        "Som godtagbara boendeutgifter beaktas högst 612,00 euro i månaden.",
        "En förmån som har betalats till för stort belopp kan återkrävas.",
        "Besvärstiden är 30 dagar från den dag då du fick del av beslutet.",
        "Besvären ska anföras skriftligt och detta beslut ska bifogas.",
        "Till hushållet hör de personer som bor i samma bostad.",
        "Spara kvitton och verifikat i minst två år.",
        "Läkarutlåtandet får inte vara äldre än tre månader.",
        "Studiestöd beviljas för högst nio månader under ett läsår.",
        "Barnbidraget betalas varje månad till barnets vårdnadshavare.",
        "Vi ber dig lämna utredningen senast den 15 oktober.",
        "Av hyresavtalet ska framgå hyrans belopp och bostadens yta.",
        "Självrisken för en resa är 25,00 euro i en riktning.",
        "Du kan boka tid per telefon på vardagar mellan klockan 9 och 16.",
        "Förmånen betalas inte för den tid då du får lön.",
        "Ansökan blir anhängig den dag då den kommer in till byrån.",
        "Målen för rehabiliteringen avtalas tillsammans med arbetsgivaren.",
        "Det här brevet är påhittat och innehåller ingens uppgifter.",
    ),
    labels=(
        "Namn",
        "Adress",
        "Postnummer och ort",
        "Telefonnummer",
        "Bankkonto",
        "Förmån som söks",
        "Begynnelsedag",
        "Tilläggsuppgifter",
    ),
    rows=(
        "Godtagbara boendeutgifter",
        "Självrisk",
        "Inkomster totalt",
        "Avdrag",
        "Skattens andel",
        "El och värme",
        "Vattenavgift",
        "Vårdutgifter",
        "Räntor",
    ),
    goods=("Rågbröd", "Mjölk 1 l", "Kaffe", "Äpplen", "Värkmedicin", "Potatis", "Smör", "Havregryn", "Blåbär", "Tandkräm"),
    receiver=("Modellkund", "Exempelgränden 0", "00000 MODELLBY"),
    closing="Med vänlig hälsning",
    stamp="INKOMMET",
    total="TOTALT",
    small=(
        "Finstilt anvisning: de närmare villkoren finns på servicestället och på webbplatsen.",
        "Kundtjänsten svarar på vardagar. Samtalet kostar en vanlig lokalsamtalsavgift.",
    ),
    card="MODELLKORT",
)

LANGUAGES: Final = (FINNISH, SWEDISH)
