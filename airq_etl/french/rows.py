"""What is found of rows and of places: tables and store (`la base`), service and settings, coordinates."""

from airq_etl.french.parts import Pair

STORED: tuple[Pair, ...] = (
    ("{rows:count} [stands|stand] more than once{which:which}", "{rows} {rows|figure|figurent} plusieurs fois{which}"),
    (
        "{days:count} [has|have] means and not one hour{which:which}",
        "{days} {days|a|ont} des moyennes mais pas une seule heure{which}",
    ),
    (
        "{hours:count} [has|have] no daily row, on {days:count}{which:which}",
        "{hours} {hours|n'a|n'ont} pas de ligne journalière, sur {days}{which}",
    ),
    (
        "{rows:count} of a station of which there is no record",
        "{rows} d'une station qui n'est répertoriée nulle part",
    ),
    (
        "{rows:count} [is|are] in the future{which:which}; now is {now:at}",
        "{rows} {rows|est|sont} dans le futur{which} ; nous sommes le {now}",
    ),
    (
        "{day:at} is marked final where its hours are not, or not where they are{more:sensors too}{days:days too}",
        "le {day} est marqué définitif alors que ses heures ne le sont pas, ou l'inverse{more}{days}",
    ),
    (
        (
            "{key:key} {what:of a day} of {day:at} is {stored:value}, its hours give {given:value}{more:sensors "
            "too}{days:days too}"
        ),
        "{what} {de key} du {day} : {stored} dans la ligne, {given} d'après ses heures{more}{days}",
    ),
    ("{days:count} [waits|wait] to be loaded", "{days} {days|attend d'être chargé|attendent d'être chargés}"),
    (
        (
            "{rows:count} [has|have] other values than in the tables: {name:text} of {time:at} is {theirs:value}, "
            "there {ours:value}"
        ),
        (
            "{rows} {rows|a|ont} d'autres valeurs que dans les tables : {name} du {time}, {theirs} dans la base, "
            "{ours} dans les tables"
        ),
    ),
    (
        "{rows:count} of the tables [is|are] missing{where:in its month}",
        "{rows} des tables {rows|manque|manquent} dans la base{where}",
    ),
    (
        "{rows:count} [is|are] not in the tables{where:in its month}",
        "{rows} de la base {rows|n'existe|n'existent} pas dans les tables{where}",
    ),
)

SERVED: tuple[Pair, ...] = (
    (
        "it is not in service before {time:at}, and so has no mean at all",
        "elle n'est pas en service avant le {time}, et n'a donc aucune moyenne",
    ),
    (
        "{hours:count} before {time:at}, when it came into service, are left out of means",
        (
            "{hours} {hours|antérieure|antérieures} à sa mise en service (le {time}) {hours|est exclue|sont exclues} "
            "des moyennes"
        ),
    ),
    (
        "its zone, its hours of a valid mean or its beginning are not set as when its days were made",
        (
            "son fuseau horaire, le nombre d'heures exigé d'une moyenne valide ou sa date de mise en service ont "
            "changé depuis le calcul de ses jours"
        ),
    ),
)

PLACED: tuple[Pair, ...] = (
    ("nobody says where it is", "personne n'indique où elle se trouve"),
    ("it is said to be at 0, 0, which is open sea", "elle est annoncée en 0 / 0, c'est-à-dire en pleine mer"),
    (
        "the stations file has it at {here:point}, the API {far:quantity} away, at {there:point}; the file wins",
        "le fichier des stations la situe en {here}, l'API à {far} de là, en {there} ; le fichier l'emporte",
    ),
    (
        "it is said to be at {here:point}, {far:quantity} from {whence:whence}{slip:slip}",
        "elle est annoncée en {here}, à {far} {whence}{slip}",
    ),
    (
        (
            "{one:text} ({here:point}) and {other:text} ({there:point}) are {far:quantity} apart: they are in two "
            "towns, or one of the places at least is wrong, and nobody here knows which{slips:slips}"
        ),
        (
            "{one} ({here}) et {other} ({there}) sont à {far} l'une de l'autre : elles sont dans deux villes, ou "
            "l'une des positions au moins est fausse, et rien ici ne dit laquelle{slips}"
        ),
    ),
    (
        (
            "the API has had it at {here:point} since {time:at}, {far:quantity} from {there:point} before; it has "
            "named {places:count} in all"
        ),
        (
            "l'API la situe en {here} depuis le {time}, à {far} de sa position d'avant, {there} ; elle a indiqué "
            "{places} en tout"
        ),
    ),
)
