// Draws the charts of the page when they come into sight, out of the facts that the page holds; asks nobody for anything.
(() => {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const facts = read("facts"), charts = read("charts"), locale = read("locale");
  const stations = new Map(facts.stations.map((station) => [String(station.station_id), station]));
  const compared = new Map(facts.compared.map((one) => ["compared:" + one.sensor, one]));
  const tip = document.getElementById("tip");

  const rows = (of) =>
    of === "stations" ? facts.stations : [of === "report" ? facts : compared.get(of) || stations.get(of)];

  const show = (_handler, event, _item, value) => {
    tip.hidden = value === null || value === undefined || value === "";
    if (tip.hidden) return;
    tip.textContent = value;
    const at = event.touches ? event.touches[0] || event.changedTouches[0] : event;
    tip.style.left = Math.max(4, Math.min(at.clientX + 12, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = Math.max(4, at.clientY - tip.offsetHeight - 10) + "px";
  };

  const options = { mode: "vega", renderer: "svg", actions: false, defaultStyle: false, tooltip: show, logLevel: 1 };
  if (locale) Object.assign(options, { formatLocale: locale.number, timeFormatLocale: locale.time });

  const draw = (place) => {
    // What lies folded is drawn when it is unfolded.
    if (place.dataset.drawn || place.closest("details:not([open])")) return;
    place.dataset.drawn = "yes";
    const chart = charts[place.dataset.chart], own = rows(place.dataset.rows);
    const data = chart.data.map((one) => (one.name === "facts" ? { ...one, values: own } : one));
    vegaEmbed(place, { ...chart, data }, options);
  };

  const all = [...document.querySelectorAll(".chart")];
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "400px" });
  all.forEach((place) => seen.observe(place));
  document.querySelectorAll("details").forEach((details) => details.addEventListener("toggle", () => {
    details.querySelectorAll(".chart").forEach((place) => seen.observe(place));
  }));
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  // What is unfolded is printed, seen or not: so it is drawn when there is time, and at the last moment.
  const rest = () => all.forEach(draw);
  addEventListener("load", () => (window.requestIdleCallback || setTimeout)(rest));
  addEventListener("beforeprint", rest);

  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && (target.closest("details") || target.querySelector("details"));
    if (details) {
      details.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();

  const scheme = document.getElementById("scheme"), root = document.documentElement;
  scheme.hidden = false;
  scheme.addEventListener("click", () => {
    const now = root.dataset.scheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.scheme = now === "dark" ? "light" : "dark";
  });
})();
