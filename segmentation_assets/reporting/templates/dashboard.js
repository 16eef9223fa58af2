(function () {
  "use strict";
  var figures = JSON.parse(document.getElementById("figures").textContent);
  var focused = null;
  var waiting = new Set(document.querySelectorAll("#algorithms .chart"));
  var PAPER_WHOLE = { width: 950, height: 560 };
  var PAPER_HALF = { width: 436, height: 340 };
  var PAPER_SMALL = { width: 200, height: 200 };
  var PAPER = { ink: "#17202b", muted: "#55606e", grid: "#e8ecf0", surface: "#ffffff" };

  function screenColours() {
    var style = getComputedStyle(document.documentElement);
    var colours = {};
    Object.keys(PAPER).forEach(function (name) { colours[name] = style.getPropertyValue("--" + name).trim(); });
    return colours;
  }

  function axis(own, colours) {
    return Object.assign({}, own, {
      gridcolor: colours.grid, linecolor: colours.grid, zerolinecolor: colours.grid, automargin: true,
      tickfont: { color: colours.muted }, title: Object.assign({}, own.title, { font: { color: colours.muted, size: 13 } })
    });
  }

  function themed(figure, colours) {
    return Object.assign({}, figure.layout, {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: figure.layout.showlegend === true, dragmode: false,
      legend: { orientation: "h", yanchor: "bottom", y: 1.01, x: 0, itemsizing: "constant", itemclick: false, itemdoubleclick: false },
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colours.ink },
      margin: Object.assign({ l: 44, r: 22, t: 8, b: 36 }, figure.layout.margin),
      hoverlabel: { bgcolor: colours.surface, bordercolor: colours.muted, font: { color: colours.ink }, align: "left" }
    }, figure.layout.xaxis && { xaxis: axis(figure.layout.xaxis, colours), yaxis: axis(figure.layout.yaxis, colours) });
  }

  function traces(figure, colours) {
    return figure.data.map(function (trace) {
      var isDim = focused !== null && trace.meta && trace.meta.segment !== focused;
      var copy = Object.assign({}, trace, { opacity: isDim ? 0.1 : 1 });
      if (trace.type === "bar") {
        copy.marker = { color: trace.marker.color, line: { width: 1, color: colours.surface } };
      }
      if (trace.type === "heatmap") {
        copy.colorscale = [[0, colours.surface], [1, "#2d6dee"]];
      }
      return copy;
    });
  }

  function isShown(place) {
    return place !== null && place.closest("[hidden]") === null && !waiting.has(place);
  }

  function paperSize(place) {
    return place.classList.contains("tall") ? PAPER_WHOLE : place.classList.contains("small") ? PAPER_SMALL : PAPER_HALF;
  }

  function layout(figure, place, colours, isPaper) {
    var whole = themed(figure, colours);
    return isPaper ? Object.assign(whole, paperSize(place)) : whole;
  }

  function drawOne(place, colours, isPaper) {
    var figure = figures[place.id];
    Plotly.react(place, traces(figure, colours), layout(figure, place, colours, isPaper),
      { displayModeBar: false, displaylogo: false, responsive: true, showSendToCloud: false, plotlyServerURL: "" });
  }

  function draw(colours, isPaper) {
    Object.keys(figures).forEach(function (id) {
      var place = document.getElementById(id);
      if (isShown(place)) { drawOne(place, colours, isPaper); }
    });
  }

  function resize() {
    document.querySelectorAll(".chart").forEach(function (place) {
      if (isShown(place)) { Plotly.Plots.resize(place); }
    });
  }

  function focus(key) {
    focused = focused === key ? null : key;
    document.querySelectorAll("[data-focus]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.focus === focused));
    });
    document.querySelectorAll("[data-segment]").forEach(function (element) {
      element.classList.toggle("dim", focused !== null && element.dataset.segment !== focused);
    });
    draw(screenColours(), false);
  }

  document.querySelectorAll(".focus").forEach(function (group) { group.hidden = false; });
  document.querySelectorAll("[data-focus]").forEach(function (button) {
    button.addEventListener("click", function () { focus(button.dataset.focus); });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { draw(screenColours(), false); });
  addEventListener("beforeprint", function () { waiting.clear(); draw(PAPER, true); });
  addEventListener("afterprint", function () {
    draw(screenColours(), false);
    resize();
  });
  document.querySelectorAll("#algorithm").forEach(function (list) {
    var parts = document.querySelectorAll("[data-algorithm]");
    list.addEventListener("change", function () {
      parts.forEach(function (part) { part.hidden = part.dataset.algorithm !== list.value; });
      draw(screenColours(), false);
      resize();
    });
  });
  draw(screenColours(), false);
  var watcher = new IntersectionObserver(function (entries) {
    entries.filter(function (entry) { return entry.isIntersecting && waiting.delete(entry.target); })
      .forEach(function (entry) { drawOne(entry.target, screenColours(), false); });
  }, { rootMargin: "400px" });
  waiting.forEach(function (place) { watcher.observe(place); });
}());
