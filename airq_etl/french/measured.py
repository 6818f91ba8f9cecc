"""What is found of hours and readings: what is missing, what sensors say, what the source does."""

from airq_etl.french.parts import Pair

_SHORT = (
    "{n:n} of {all:n} day[s|] have fewer than the {least:n} of 24 hours that make a "
    "mean valid, {worst:worst} {days:list of short day}"
)
_COURT = (
    "{n} {n|jour|jours} sur {all} {n|compte|comptent} moins des {least} heures sur 24 "
    "exigées pour une moyenne valide, {worst} {days}"
)
_FEW = "with enough hours of other sensors, too few of {sensors:list of short sensor}"
_PEU = "assez d'heures pour d'autres capteurs, mais trop peu pour {sensors}"

MISSING: tuple[Pair, ...] = (
    (
        "{n:n} of {all:n} hour[s|] ({share:share}) are missing, in {gaps:gaps} from {first:at} to {last:at}",
        "il manque {n} {n|heure|heures} sur {all} ({share}), en {gaps}, du {first} au {last}",
    ),
    (_SHORT, _COURT),
    (_FEW, _PEU),
    (f"{_SHORT}; {_FEW}", f"{_COURT} ; {_PEU}"),
    ("no value of {sensors:list of left out}", "aucune valeur {sensors}"),
    (
        (
            "{hours:count} from {time:at} on may never have been asked for, and the source keeps them until {end:at} "
            "only"
        ),
        (
            "{hours} à partir du {time} {hours|n'a peut-être jamais été demandée|n'ont peut-être jamais été "
            "demandées}, et la source ne {hours|la|les} conserve que jusqu'au {end}"
        ),
    ),
    (
        "{hours:count} until {time:at} lie beyond the 365 days that the source keeps",
        "{hours} jusqu'au {time} {hours|est antérieure|sont antérieures} aux 365 jours que la source conserve",
    ),
    (
        (
            "its newest hour is {time:at}, older than the 365 days that the source keeps: if the station measures, an "
            "hour is lost with each that passes"
        ),
        (
            "sa dernière heure est celle du {time}, au-delà des 365 jours que la source conserve : si la station "
            "mesure encore, chaque heure qui passe en fait perdre une"
        ),
    ),
    (
        "its newest hour is {time:at}, {ago:ago}{habit:habit}{silence:no answer}",
        "sa dernière heure est celle du {time}, {ago}{habit}{silence}",
    ),
    (
        "it has no hour{days:in these days}, though the settings name it",
        "elle n'a aucune heure{days}, alors qu'elle figure dans les réglages",
    ),
    (
        "none of {n:n} stations has a newer hour: the newest is {time:at}, {ago:ago}{silence:no answer}",
        "aucune des {n} stations n'a d'heure plus récente : la dernière est celle du {time}, {ago}{silence}",
    ),
    (
        "all stations were silent together: {together:together}",
        "toutes les stations sont restées muettes en même temps : {together}",
    ),
)

READ: tuple[Pair, ...] = (
    (
        "{n:n} of {all:n} values are not between {low:n} and {high:quantity} ({beyond:beyond})",
        (
            "{n} {n|valeur|valeurs} sur {all} {n|n'est pas comprise|ne sont pas comprises} entre {low} et {high} "
            "({beyond})"
        ),
    ),
    (
        "{share:share} of hours are below zero{verdict:below zero}",
        "{share} des heures sont négatives{verdict}",
    ),
    (
        "{fine:key} is above {coarse:key} in {share:share} of hours, but is part of it",
        "{fine} dépasse {coarse} dans {share} des heures, alors que {fine} en fait partie",
    ),
    (
        "it said the same for {long:quantity} of {value:quantity} from {time:at} on",
        "valeur inchangée pendant {long}, à {value}, à partir du {time}",
    ),
    (
        (
            "it said the same for hours {n:n} times, {all:quantity} in all, the longest {long:quantity} of "
            "{value:quantity} from {time:at} on"
        ),
        (
            "valeur inchangée pendant des heures à {n} {n|reprise|reprises}, {all} au total, la plus longue durant "
            "{long} à {value}, à partir du {time}"
        ),
    ),
    (
        (
            "{value:quantity} in {share:share} of {hours:of hours}, one run of {run:quantity}: the daily mean says "
            "nothing"
        ),
        "{value} dans {share} {hours}, dont {run} d'affilée : la moyenne journalière ne signifie rien",
    ),
    (
        (
            "single hours stand out by far, of {spikes:list of spike}; the highest of {key:key} is {value:quantity} "
            "at {time:at}"
        ),
        (
            "des heures isolées sortent nettement du lot, pour {spikes} ; la valeur la plus haute {de key} est de "
            "{value}, le {time}"
        ),
    ),
    (
        "from {first:at} to {last:at} it was hardly at its site: {levels:list of level}",
        "du {first} au {last}, elle n'était sans doute pas sur son site : {levels}",
    ),
    (
        "the fortnight from {day:at} on has {levels:list of level}, at once{others:same weather}",
        "la quinzaine qui commence le {day} donne d'un coup {levels}{others}",
    ),
    (
        (
            "its zero sank by {fall:quantity}: its quiet hours (lower quartile) read {high:n} in the four weeks from "
            "{day:at}, and read {now:quantity} of late"
        ),
        (
            "son zéro a baissé de {fall} : ses heures calmes (quartile inférieur) donnaient {high} dans les quatre "
            "semaines à partir du {day}, et donnent désormais {now}"
        ),
    ),
    (
        "its level went {way:way} by {by:by} against stations with the same weather",
        "son niveau {way} {by} par rapport aux stations de même météo",
    ),
)

OF_THE_SOURCE: tuple[Pair, ...] = (
    (
        (
            "the source changed {hours:count} ({share:share} of those within its reach) of {sensors:list of key}, "
            "from {first:at} to {last:at}, seen {seen:at}{before:and before}; {moves:means moved}"
        ),
        (
            "la source a modifié {hours} ({share} de celles à sa portée) pour {sensors}, du {first} au {last}, "
            "constaté le {seen}{before} ; {moves}"
        ),
    ),
    (
        "{keys:list of quoted} [is no sensor|are no sensors] known here; the values stay in the captures",
        (
            "{keys} {keys|n'est pas un capteur connu|ne sont pas des capteurs connus} ici ; les valeurs restent dans "
            "les captures"
        ),
    ),
    (
        "{key:key} is in none of the last {hours:n} hour[s|]; it was last given for {time:at}",
        "{key} est absent des {hours} dernières heures ; sa dernière valeur est celle du {time}",
    ),
    (
        (
            "{rows:count} set aside, beside {hours:count} of the same time; the reason: {why:why rejected}{some:some "
            "of them}; last seen {time:at}"
        ),
        (
            "{rows} {rows|écartée|écartées}, contre {hours} de la même période ; motif : {why}{some} ; vu pour la "
            "dernière fois le {time}"
        ),
    ),
)
