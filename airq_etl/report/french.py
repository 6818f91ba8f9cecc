"""The report in French: what each of its English texts is, with the same holes."""

OF_CHARTS: dict[str, str] = {
    "WHO": "OMS",
    "EU": "UE",
    "time, UTC": "heure UTC",
    "forecast": "prévision",
    "hour of the day": "heure du jour",
    "hours of 24": "heures sur 24",
    "hours": "heures",
    "not valid": "non valide",
    "mean": "moyenne",
    "median": "médiane",
    "daily mean": "moyenne journalière",
    "highest day": "jour maximal",
    "valid days": "jours valides",
    "eight of ten days": "huit jours sur dix",
    "runs a day": "exécutions par jour",
    "good": "réussies",
    "partial": "partielles",
    "failed": "en échec",
    "PM2.5 against CO": "PM2.5 en fonction du CO",
    "Daily means, µg/m³ and mg/m³, of the {days} days valid for both; r = {r}. Source: AirQino.": (
        "Moyennes journalières, µg/m³ et mg/m³, des {days} jours valides pour les deux ; r = {r}. Source : AirQino."
    ),
    "{sensor}: the last two days and the next hours": "{sensor} : les deux derniers jours et les prochaines heures",
    "{unit}, means of an hour in UTC. Light and dark band: 95 and 80 % of hours should come within. "
    "Source: AirQino; forecast: airq-etl.": (
        "{unit}, moyennes horaires, heures UTC. Bande claire et bande foncée : 95 et 80 % des heures devraient s’y "
        "trouver. Source : AirQino ; prévision : airq-etl."
    ),
    "{sensor}: daily means": "{sensor} : moyennes journalières",
    "{unit}, as reported; days in {zone}. Hollow: under {hours} of 24 hours, not valid. "
    "Lines: WHO 2021, EU 2024/2881 (from 2030), means of a day. Source: AirQino.": (
        "{unit}, valeurs telles que transmises ; jours du fuseau {zone}. Cercles vides : moins de {hours} heures sur "
        "24, jour non valide. Lignes : OMS 2021 et UE 2024/2881 (dès 2030), moyennes d’un jour. Source : AirQino."
    ),
    "{sensor}: calendar of daily means": "{sensor} : calendrier des moyennes journalières",
    "{unit}; days in {zone}, weeks from Monday. Hollow: under {hours} of 24 hours, not valid. Source: AirQino.": (
        "{unit} ; jours du fuseau {zone}, semaines à partir du lundi. Cases vides : moins de {hours} heures sur 24, "
        "jour non valide. Source : AirQino."
    ),
    "{sensor}: monthly means, and the highest day of each month": (
        "{sensor} : moyennes mensuelles et jour maximal de chaque mois"
    ),
    "{unit}, mean of valid daily means; stroke: the highest of them. Hollow: valid days are under 75 % of the "
    "month. The lines are those of a day. Source: AirQino.": (
        "{unit}, moyenne des moyennes journalières valides ; trait : la plus élevée. Barres vides : moins de 75 % de "
        "jours valides dans le mois. Les lignes sont celles d’un jour. Source : AirQino."
    ),
    "{sensor}: hours of the day by month": "{sensor} : heures du jour, mois par mois",
    "{unit}, mean of the complete hours of a month; hours in {zone}, by their start. Source: AirQino.": (
        "{unit}, moyenne des heures complètes du mois ; heures du fuseau {zone}, nommées par leur début. "
        "Source : AirQino."
    ),
    "{sensor}: hours of each day": "{sensor} : heures de chaque jour",
    "Hours with a value; from {hours} of 24 on a day is valid (75 %: 40 CFR 50 App. N, EU 2024/2881 Annex V). "
    "Days in {zone}. Source: AirQino.": (
        "Heures avec une valeur ; un jour est valide à partir de {hours} heures sur 24 (75 % : 40 CFR 50 App. N, "
        "UE 2024/2881 annexe V). Jours du fuseau {zone}. Source : AirQino."
    ),
    "Runs by the day (UTC) on which they began; partial: some stations failed. Source: the ledger.": (
        "Exécutions par jour (UTC) de début ; partielles : certaines stations ont échoué. Source : le registre."
    ),
    "{unit}, valid daily means. Point: median; bar: eight of ten days; stroke: the highest day. Source: AirQino.": (
        "{unit}, moyennes journalières valides. Point : médiane ; barre : huit jours sur dix ; trait : jour maximal. "
        "Source : AirQino."
    ),
    "{sensor}: the stations against each other": "{sensor} : comparaison des stations",
    "{unit}, valid daily means as reported; a line breaks where a day is missing or not valid. Source: AirQino.": (
        "{unit}, moyennes journalières valides telles que transmises ; la ligne s’interrompt là où un jour manque ou "
        "n’est pas valide. Source : AirQino."
    ),
    "{unit}, mean of valid daily means. Hollow: valid days are under 75 % of the month. Source: AirQino.": (
        "{unit}, moyenne des moyennes journalières valides. Cases vides : moins de 75 % de jours valides dans le "
        "mois. Source : AirQino."
    ),
    "{sensor}: the stations, month by month": "{sensor} : les stations, mois par mois",
    "{sensor}: the stations, day by day": "{sensor} : les stations, jour par jour",
}
OF_THE_PAGE: dict[str, str] = {
    "Air quality report": "Rapport sur la qualité de l’air",
    "{stations}, {first} to {last}.": "{stations}, du {first} au {last}.",
    "{count} stations": "{count} stations",
    "No day in this period.": "Aucun jour dans cette période.",
    "the tables": "les tables",
    "As of {now} UTC, from {source}, by airq-etl {version}. Low-cost sensors: indicative, not regulatory. "
    "Values are as reported: nothing is clipped or filled.": (
        "État au {now} UTC, d’après {source}, par airq-etl {version}. Capteurs à bas coût : mesures indicatives, non "
        "réglementaires. Valeurs telles que transmises : rien n’est tronqué ni complété."
    ),
    "Light / dark": "Clair / sombre",
    "The charts need JavaScript. All tables are here without it, and `airq-etl report --png` makes pictures.": (
        "Les graphiques demandent JavaScript. Tous les tableaux sont là sans lui, et `airq-etl report --png` en fait "
        "des images."
    ),
    "The air now": "L’air en ce moment",
    "Station": "Station",
    "Stations": "Stations",
    "Newest hour (UTC)": "Dernière heure (UTC)",
    "Age": "Âge",
    "ahead": "dans le futur",
    "{days} days": "{days} jours",
    "US AQI": "IQA (États-Unis)",
    "Good": "Bon",
    "Moderate": "Modéré",
    "Unhealthy for Sensitive Groups": "Mauvais pour les personnes sensibles",
    "Unhealthy": "Mauvais",
    "Very Unhealthy": "Très mauvais",
    "Hazardous": "Dangereux",
    "PM2.5, next hour (80 %)": "PM2.5, heure suivante (80 %)",
    "Completeness": "Complétude",
    "Checks": "Contrôles",
    "no hour yet": "aucune heure encore",
    "nothing": "rien",
    "error": "erreur",
    "warning": "avertissement",
    "info": "info",
    "{count} error": "{count} erreur",
    "{count} errors": "{count} erreurs",
    "{count} warning": "{count} avertissement",
    "{count} warnings": "{count} avertissements",
    "{count} info": "{count} info",
    "The sanity check doubts it": "Le contrôle de vraisemblance en doute",
    "The sanity check doubts {sensor} here: see its daily means.": (
        "Le contrôle de vraisemblance doute du capteur de {sensor} : voir ses moyennes journalières."
    ),
    "The sanity check doubts {sensor} of: {stations}.": (
        "Le contrôle de vraisemblance doute du capteur de {sensor} de : {stations}."
    ),
    "PM2.5 and CO: mean of the newest complete hour. NowCast: EPA's weighted mean of the last twelve hours of PM2.5, "
    "and its US AQI (2024 table). Completeness: share of the hours of all days of the period that have a PM2.5 "
    "value.": (
        "PM2.5 et CO : moyenne de la dernière heure complète. NowCast : moyenne pondérée de l’EPA sur les douze "
        "dernières heures de PM2.5, et son IQA (table de 2024). Complétude : part des heures de tous les jours "
        "de la période qui ont une valeur de PM2.5."
    ),
    "What the sanity check says of all stations": "Ce que dit le contrôle de vraisemblance de l’ensemble des stations",
    "What the sanity check says besides": "Ce que dit par ailleurs le contrôle de vraisemblance",
    "As it was found last, at {time} UTC.": "Tel que relevé pour la dernière fois, le {time} UTC.",
    "The stations against each other": "Comparaison des stations",
    "Sensor": "Capteur",
    "Days valid at both": "Jours valides aux deux",
    "r of daily means": "r des moyennes journalières",
    "Mean difference": "Écart moyen",
    "no day in this period": "aucun jour dans cette période",
    "station {id}, {first} to {last}, {valid} valid days of PM2.5, {co} of CO": (
        "station {id}, du {first} au {last}, {valid} jours valides de PM2.5, {co} de CO"
    ),
    "{sensor}: highest daily mean of a valid day {value} {unit}, on {day}.": (
        "{sensor} : moyenne journalière la plus élevée d’un jour valide : {value} {unit}, le {day}."
    ),
    "{sensor}: {value} {unit} on {day} is higher, of {hours} of {expected} hours: not valid.": (
        "{sensor} : {value} {unit} le {day} est plus élevé, mais sur {hours} h des {expected} h du jour : non valide."
    ),
    "{sensor}: no forecast: {reason}.": "{sensor} : pas de prévision : {reason}.",
    "Days above the guidelines": "Jours au-dessus des valeurs guides",
    "Year": "Année",
    "Valid days": "Jours valides",
    "Mean of valid days": "Moyenne des jours valides",
    "Highest day": "Jour maximal",
    "Above WHO": "Au-dessus de l’OMS",
    "Above EU": "Au-dessus de l’UE",
    "{valid} of {days}": "{valid} sur {days}",
    "Valid days alone, in {zone}. A day above is a mark, no breach: WHO (2021) allows 3 to 4 a year, the EU "
    "(2024/2881, from 2030) 18. PM2.5 15 and 25 µg/m³, CO 4 mg/m³ (both).": (
        "Jours valides seulement, fuseau {zone}. Un jour au-dessus est un repère, pas une infraction : l’OMS (2021) "
        "en admet 3 à 4 par an, l’UE (2024/2881, dès 2030) 18. PM2.5 : 15 et 25 µg/m³ ; CO : 4 mg/m³ (les deux)."
    ),
    "How the forecasts turned out, of 28 days": "Ce que valaient les prévisions, sur 28 jours",
    "Ahead": "Échéance",
    "Hours": "Heures",
    "Mean error": "Erreur moyenne",
    "Of 'it stays as it is'": "Erreur de « rien ne change »",
    "Within 80 %": "Dans les 80 %",
    "Within 95 %": "Dans les 95 %",
    "What the source changed afterwards": "Ce que la source a modifié après coup",
    "Values": "Valeurs",
    "Hours (UTC)": "Heures (UTC)",
    "Seen (UTC)": "Vu (UTC)",
    "Mean change": "Changement moyen",
    "Largest change": "Plus grand changement",
    "Taken back": "Retirées",
    "Values of hours that were over, which a later answer gave differently; on {days} days. Old and new value of "
    "each: airq-etl export revisions.": (
        "Valeurs d’heures achevées qu’une réponse ultérieure a données autrement, sur {days} jours. Ancienne et "
        "nouvelle valeur de chacune : airq-etl export revisions."
    ),
    "Runs": "Exécutions",
    "Run": "Exécution",
    "Began (UTC)": "Début (UTC)",
    "State": "État",
    "Took": "Durée",
    "Exit code": "Code de sortie",
    "Message": "Message",
    "SUCCESS": "réussie",
    "PARTIAL": "partielle",
    "FAILED": "échec",
    "CANCELLED": "annulée",
    "RUNNING": "en cours",
    "PENDING": "en attente",
    "RETRY": "nouvel essai",
    "SKIPPED": "omise",
    "No run of the hourly job in the last 60 days.": "Aucune exécution de la tâche horaire depuis 60 jours.",
    "Rules and sources": "Règles et sources",
    "Hours are UTC, named by their start; a day runs from midnight to midnight in the station's time zone.": (
        "Les heures sont en UTC, nommées par leur début ; un jour va de minuit à minuit dans le fuseau de la station."
    ),
    "A daily mean divides by the hours that were reported, and is valid with {hours} of 24 (75 %: US 40 CFR Part 50 "
    "App. N, EU 2024/2881 Annex V). Invalid days keep their mean, and are hollow; they count in no mean of a month "
    "or year, and above no guideline.": (
        "Une moyenne journalière est calculée sur les heures transmises, et est valide à partir de {hours} heures sur "
        "24 (75 % : US 40 CFR Part 50 App. N, UE 2024/2881 annexe V). Un jour non valide garde sa moyenne, montrée en "
        "creux ; il ne compte dans aucune moyenne de mois ou d’année, ni au-dessus d’aucune valeur guide."
    ),
    "Guidelines: WHO global air quality guidelines 2021; Directive (EU) 2024/2881, Annex I, from 2030. US AQI and "
    "NowCast: EPA, 40 CFR 58 App. G, table of 2024-05-06.": (
        "Valeurs guides : lignes directrices OMS 2021 relatives à la qualité de l’air ; directive (UE) 2024/2881, "
        "annexe I, dès 2030. IQA et NowCast : EPA, 40 CFR 58 App. G, table du 06/05/2024."
    ),
    "CO is electrochemical: its zero drifts, so that values below zero occur. Such means are no concentrations, and "
    "the sanity check says so.": (
        "Le capteur de CO est électrochimique : son zéro dérive, d’où des valeurs négatives. De telles moyennes ne "
        "sont pas des concentrations, et le contrôle de vraisemblance le dit."
    ),
    "Every number of this page is in `airq-etl report --json`.": (
        "Chaque nombre de cette page se trouve dans `airq-etl report --json`."
    ),
}
FRENCH: dict[str, str] = OF_CHARTS | OF_THE_PAGE
