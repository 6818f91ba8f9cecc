"""Why there is no forecast, and why another model makes it."""

from airq_etl.french.parts import Pair

_BELOW = "its error was {by:share} below that of {model:of model} over the last {n:n} days"
_MOINDRE = "son erreur a été inférieure de {by} à celle {model} sur les {n} derniers jours"

REASONS: tuple[Pair, ...] = (
    (
        "it is dead: {value:quantity} in {share:share} of the hours of the last {n:n} days",
        "capteur mort : {value} dans {share} des heures des {n} derniers jours",
    ),
    (
        "its zero has drifted: {share:share} of the hours of the last {n:n} days are below zero",
        "dérive du zéro : {share} des heures des {n} derniers jours sont négatives",
    ),
    ("it has been silent since {time:at} UTC", "capteur muet depuis le {time} UTC"),
    (
        "its first hours came today; it is forecast from tomorrow on",
        "ses premières heures sont arrivées aujourd'hui ; prévision à partir de demain",
    ),
    ("it has no values", "il n'a aucune valeur"),
    ("less than {n:n} days of hours to learn from", "moins de {n} jours de mesures pour l'apprentissage"),
    (
        "{model:model} steps down: its error was {by:share} above that of persistence over the last {n:n} days",
        "{model} cède la place : son erreur a dépassé de {by} celle de la persistance sur les {n} derniers jours",
    ),
    (f"{_BELOW} (at least {{least:share}})", f"{_MOINDRE} (au moins {{least}})"),
    (
        "{who:who}: there are less than {n:n} days by which to judge the linear model",
        "{who} : moins de {n} jours pour juger le modèle linéaire",
    ),
    (
        "{who:who}: the linear model was no better than persistence",
        "{who} : le modèle linéaire n'a pas fait mieux que la persistance",
    ),
    (f"{{who:who}}: {_BELOW}", f"{{who}} : {_MOINDRE}"),
)
