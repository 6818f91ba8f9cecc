"""What findings say to do."""

from airq_etl.french.parts import Pair

REBUILD, LOAD = "lancer `airq-etl transform --rebuild`", "lancer `airq-etl load --full`"

OF_ROWS: tuple[Pair, ...] = (
    ("run `airq-etl transform --rebuild`", REBUILD),
    ("run `airq-etl load --full`", LOAD),
    ("run `airq-etl load --full`, then remove what stays", f"{LOAD}, puis supprimer ce qui reste"),
    ("run `airq-etl load`", "lancer `airq-etl load`"),
    (
        "remove them, or empty the store and run `airq-etl load --full`",
        f"supprimer ces lignes, ou vider la base et {LOAD}",
    ),
    (
        "remove from the store those whose _id is not like {like:text}",
        "supprimer de la base les lignes dont l'_id n'est pas de la forme {like}",
    ),
    ("find out who wrote them, and remove them", "chercher qui a écrit ces lignes, et les supprimer"),
    (
        "set right the clock of whoever writes here, and remove them",
        "mettre à l'heure la machine qui écrit ici, et supprimer ces lignes",
    ),
    ("see its in_service_from in AIRQ_STATIONS_FILE", "vérifier son in_service_from dans AIRQ_STATIONS_FILE"),
    ("nothing, if that is the day", "rien à faire, si la date est la bonne"),
    (
        "run `airq-etl transform` and `airq-etl load`, or wait for the next run",
        "lancer `airq-etl transform` et `airq-etl load`, ou attendre la prochaine exécution",
    ),
    (
        "give its latitude and longitude in the stations file (AIRQ_STATIONS_FILE)",
        "indiquer sa latitude et sa longitude dans le fichier des stations (AIRQ_STATIONS_FILE)",
    ),
    (
        "give their latitude and longitude in the stations file (AIRQ_STATIONS_FILE)",
        "indiquer leur latitude et leur longitude dans le fichier des stations (AIRQ_STATIONS_FILE)",
    ),
    ("tell AirQino the right place", "signaler la bonne position à AirQino"),
    ("see which of the two is right", "vérifier laquelle des deux est la bonne"),
    (
        "ask whether the station was moved: its series is then that of two places",
        "demander si la station a été déplacée : sa série est alors celle de deux lieux",
    ),
)

OF_HOURS: tuple[Pair, ...] = (
    (
        "see the station: its power, its network, its SIM card",
        "contrôler la station : son alimentation, son réseau, sa carte SIM",
    ),
    ("mind the gaps when you compare months", "tenir compte des lacunes en comparant des mois"),
    ("leave means out that are not marked valid", "écarter les moyennes qui ne sont pas marquées valides"),
    ("see the sensor", "contrôler le capteur"),
    ("mind the hours beside each mean", "tenir compte du nombre d'heures donné à côté de chaque moyenne"),
    ("run `airq-etl backfill` before", "lancer `airq-etl backfill` avant cette date"),
    (
        "do not wait for them: no asking brings them back",
        "ne plus les attendre : les redemander ne les ramènerait pas",
    ),
    (
        "run `airq-etl run`; take the station out of AIRQ_STATIONS if it is gone",
        "lancer `airq-etl run` ; retirer la station d'AIRQ_STATIONS si elle n'existe plus",
    ),
    (
        "look at the days after these, too: it may be back",
        "regarder aussi les jours suivants : elle est peut-être revenue",
    ),
    (
        "run `airq-etl run`, and see that it runs every hour",
        "lancer `airq-etl run`, et veiller à ce qu'il s'exécute toutes les heures",
    ),
    (
        "see that its id is right (AIRQ_STATIONS), and what `airq-etl run` says of it",
        "vérifier son identifiant (AIRQ_STATIONS), et ce qu'en dit `airq-etl run`",
    ),
    ("look at other days, too", "regarder aussi d'autres jours"),
    (
        "ask AirQino: the source or the network is silent, not the sensors",
        "interroger AirQino : c'est la source ou le réseau qui est muet, pas les capteurs",
    ),
    (
        "do not look for these hours at the stations; the source or the network was silent",
        "inutile de chercher ces heures sur les stations : c'est la source ou le réseau qui était muet",
    ),
    (
        "see `airq-etl export revisions`, and ask AirQino why",
        "voir `airq-etl export revisions`, et en demander la raison à AirQino",
    ),
    (
        "have the sensor declared (airq_etl/sensors.py), then `airq-etl transform --rebuild`",
        f"faire déclarer le capteur (airq_etl/sensors.py), puis {REBUILD}",
    ),
    (
        "see the sensor at the station; ask AirQino whether the key has another name now",
        "contrôler le capteur à la station ; demander à AirQino si la clé a changé de nom",
    ),
    ("see `airq-etl export rejects`, and {tell:and whom to tell}", "voir `airq-etl export rejects`, et {tell}"),
)

OF_SENSORS: tuple[Pair, ...] = (
    (
        "check its cable and power; these hours are left out of means",
        "vérifier son câble et son alimentation ; ces heures sont exclues des moyennes",
    ),
    (
        "set its zero anew, and do not compare its means with limits",
        "refaire le zéro, et ne pas comparer ses moyennes aux valeurs limites",
    ),
    ("keep it in mind where low values matter", "en tenir compte là où les valeurs basses importent"),
    (
        "check how the two are wired or named, and its optics",
        "vérifier le câblage et l'appellation des deux, ainsi que l'optique",
    ),
    ("look whether it still follows the air", "vérifier qu'il suit encore l'air ambiant"),
    ("expect clean air or a short hang behind it", "il s'agit sans doute d'air propre, ou d'un bref blocage"),
    (
        "have the sensor replaced, and do not publish its means",
        "faire remplacer le capteur, et ne pas publier ses moyennes",
    ),
    (
        "look at these before you publish a highest hour: they may be real, or a jolt of the sensor",
        (
            "examiner ces heures avant de publier un maximum horaire : elles sont peut-être réelles, ou dues à un "
            "à-coup du capteur"
        ),
    ),
    (
        "find out where it stands now, and keep its means apart from those before",
        "chercher où elle se trouve maintenant, et séparer ses moyennes de celles d'avant",
    ),
    (
        "set {since:text} for it in AIRQ_STATIONS_FILE, if that is when it came to its site",
        "lui attribuer {since} dans AIRQ_STATIONS_FILE, si c'est bien la date de son arrivée sur son site",
    ),
    (
        (
            "leave the means of these days out; {since:text} for it in AIRQ_STATIONS_FILE would leave out all before, "
            "too"
        ),
        "écarter les moyennes de ces jours ; {since} dans AIRQ_STATIONS_FILE exclurait aussi tout ce qui précède",
    ),
    (
        "find out what was done to it, and compare no means across that day",
        "chercher l'intervention qui en est la cause, et ne comparer aucune moyenne de part et d'autre de ce jour",
    ),
    (
        "set its zero anew, and trust no trend of its means",
        "refaire le zéro, et ne se fier à aucune tendance de ses moyennes",
    ),
    (
        "compare it with a reference, or with a neighbour at one site, and trust no trend of its means",
        (
            "le comparer à un appareil de référence, ou à un voisin sur un même site, et ne se fier à aucune tendance "
            "de ses moyennes"
        ),
    ),
)
