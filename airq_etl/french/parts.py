"""Parts that sentences share or leave out: each a list of templates of its own, by the name that a hole gives it.

An empty one says that the part may be left out.
"""

from collections.abc import Mapping, Sequence

Pair = tuple[str, str]
"""An English template and its French one, see `templates`."""

LEFT_OUT: Pair = ("", "")

PARTS: Mapping[str, Sequence[Pair]] = {
    # Of hours and days that are not as they should be.
    "which": (
        (": {time:at}", " : {time}"),
        (", the first is {time:at}", " (premier cas : {time})"),
    ),
    "in its month": (
        ("; its time cannot be read", " ; date illisible"),
        (
            "{which:which}; {month:month} has {theirs:count}, in the tables {ours:n}",
            "{which} ; en {month}, la base compte {theirs}, les tables {ours}",
        ),
    ),
    "of a day": (
        ("mean", "moyenne"),
        ("minimum", "minimum"),
        ("maximum", "maximum"),
        ("number of hours", "nombre d'heures"),
        ("validity", "validité"),
    ),
    "sensors too": (LEFT_OUT, ("; so it is with {more:count}", " ; de même pour {more}")),
    "days too": (LEFT_OUT, ("; the first of {days:count}", " ; premier de {days}")),
    # Of what is missing.
    "gaps": (
        ("one gap of {hours:count}", "une seule lacune de {hours}"),
        ("{n:n} gaps, the longest of {hours:count}", "{n} lacunes, la plus longue de {hours}"),
    ),
    "worst": (("the worst", "les pires étant"), ("namely", "à savoir")),
    "short day": (("{day:at} with {hours:quantity}", "le {day} ({hours})"),),
    "short sensor": (("{key:key} on {days:count}", "{key} ({days})"),),
    "left out": (
        (
            "{key:key} in {n:n} of {all:n} hour[s|] ({share:share})",
            "{de key} pour {n} {n|heure|heures} sur {all} ({share})",
        ),
    ),
    "ago": (
        ("{long:count} ago", "il y a {long}"),
        ("{long:count} before these days end", "{long} avant la fin de ces jours"),
    ),
    "habit": (
        LEFT_OUT,
        ("; its usual outages last up to {long:quantity}", " ; ses coupures habituelles durent jusqu'à {long}"),
    ),
    "no answer": (
        LEFT_OUT,
        (", and no answer has come since {time:at}", ", et aucune réponse n'est arrivée depuis le {time}"),
    ),
    "in these days": (LEFT_OUT, (" in these days", " sur ces jours")),
    "together": (
        (
            "{n:n} times, {hours:n} hours in all, the longest time {longest:count} from {time:at}",
            "{n} fois, {hours} heures au total, la plus longue durant {longest} à partir du {time}",
        ),
        ("{hours:count} from {time:at}", "{hours} à partir du {time}"),
    ),
    # Of readings.
    "beyond": (
        ("all {all:quantity}", "{all} dans tous les cas"),
        (
            "lowest {low:quantity}, highest {high:quantity}, most often {often:quantity}",
            "minimum {low}, maximum {high}, le plus souvent {often}",
        ),
    ),
    "below zero": (
        (
            (
                ": its zero has drifted; clean air (the lowest 5 % of hours) reads {clean:quantity} or less, and means "
                "are too low by about as much"
            ),
            (
                " : son zéro a dérivé ; l'air propre (les 5 % d'heures aux valeurs les plus basses) donne {clean} ou "
                "moins, et les moyennes sont sous-estimées d'à peu près autant"
            ),
        ),
        (", the lowest {low:quantity}", ", la plus basse à {low}"),
    ),
    "of hours": (
        ("hours", "des heures"),
        ("the hours of its last {n:n} days", "des heures de ses {n} derniers jours"),
    ),
    "spike": (("{key:key} {times:count}", "{key} ({times})"),),
    "level": (
        ("{key:key} {n:n} instead of {usual:quantity}", "{key} {n} au lieu de {usual}"),
        ("daily swing of T {n:n} instead of {usual:quantity}", "amplitude journalière de T {n} au lieu de {usual}"),
    ),
    "same weather": (
        LEFT_OUT,
        (
            "; stations with the same weather show less than half of it, if any",
            " ; les stations de même météo n'en montrent pas la moitié, voire rien",
        ),
    ),
    "way": (("up", "a augmenté"), ("down", "a baissé")),
    "by": (("a factor of {n:n}", "d'un facteur {n}"), ("{by:quantity}", "de {by}")),
    # Of what the source does.
    "and before": (LEFT_OUT, (" and in {answers:count} before", " et dans {answers} {answers|antérieure|antérieures}")),
    "means moved": (
        ("no daily mean moved", "aucune moyenne journalière n'a bougé"),
        ("1 daily mean moved, {that:that mean}", "1 moyenne journalière a bougé, {that}"),
        (
            "{n:n} daily means moved, the most {that:that mean}",
            "{n} moyennes journalières ont bougé, surtout {that}",
        ),
    ),
    "that mean": (
        (
            "that of {key:key} of {day:at}, from {before:value} to {after:value}",
            "celle {de key} du {day} : {before} auparavant, {after} désormais",
        ),
    ),
    "some of them": (LEFT_OUT, (" ({n:n} of them)", " (pour {n} d'entre elles)")),
    "why rejected": (
        ("Expected `{one:text}`, got `{other:text}`", "attendu `{one}`, reçu `{other}`"),
        ("Expected `{one:text}`", "attendu `{one}`"),
        ("Object missing required field `{field:text}`", "champ obligatoire `{field}` absent"),
        ("Invalid RFC3339 encoded datetime", "horodatage illisible"),
        ("{n:text} is not a finite number", "{n} n'est pas un nombre fini"),
        ("not an object", "ce n'est pas un objet JSON"),
        ("text that is not Unicode", "texte qui n'est pas de l'Unicode"),
        ("a key that is not Unicode", "clé qui n'est pas de l'Unicode"),
        ("in the future of the request", "horodatage postérieur à la requête"),
        ("not on the hour", "horodatage qui n'est pas une heure pile"),
        ("outside the calendar", "horodatage hors du calendrier"),
        ("before 2000", "horodatage antérieur à 2000"),
        ("{any:text}", "« {any} »"),
    ),
    "and whom to tell": (
        ("tell AirQino", "le signaler à AirQino"),
        (
            "set this machine's clock right, or say --requested-at when you take saved payloads",
            "régler l'horloge de cette machine, ou donner --requested-at pour des réponses enregistrées",
        ),
    ),
    # Of places.
    "whence": (
        ("the middle of the stations", "du centre des stations"),
        (
            "station {number:n}, which the stations file places",
            "de la station {number}, que le fichier des stations situe",
        ),
        ("{station:text}, which the stations file places", "{de station}, que le fichier des stations situe"),
    ),
    "slip": (
        LEFT_OUT,
        (": its longitude lacks a minus sign", " : il manque un signe moins à sa longitude"),
        (": its latitude lacks a minus sign", " : il manque un signe moins à sa latitude"),
        (": its longitude has a minus sign too many", " : sa longitude a un signe moins de trop"),
        (": its latitude has a minus sign too many", " : sa latitude a un signe moins de trop"),
        (": its latitude and longitude are swapped", " : sa latitude et sa longitude sont inversées"),
    ),
    "slips": (
        LEFT_OUT,
        (
            "; a sign turned, or the two numbers swapped, would bring them together",
            " ; un signe inversé, ou les deux nombres échangés, les rapprocherait",
        ),
    ),
    # Of models.
    "model": (
        ("linear", "le modèle linéaire"),
        ("damped persistence", "la persistance amortie"),
        ("persistence", "la persistance"),
        ("lightgbm", "le modèle LightGBM"),
        ("none", "une période sans prévision"),
    ),
    "of model": (
        ("linear", "du modèle linéaire"),
        ("damped persistence", "de la persistance amortie"),
        ("persistence", "de la persistance"),
        ("lightgbm", "du modèle LightGBM"),
    ),
    "who": (
        ("the first to serve", "premier modèle en service"),
        ("after {model:model}", "après {model}"),
    ),
}
