(function () {
  "use strict";

  function order(cell) {
    var given = cell.dataset.order;
    return given === undefined ? cell.textContent.trim() : given;
  }

  function compare(first, second) {
    var numbers = [Number(first), Number(second)];
    return numbers.some(isNaN) ? first.localeCompare(second, "en") : numbers[0] - numbers[1];
  }

  function sort(table, column, isDescending) {
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row) { return { row: row, key: order(row.cells[column]) }; });
    rows.sort(function (a, b) {
      if (a.key === "" || b.key === "") { return (a.key === "") - (b.key === ""); }
      return isDescending ? compare(b.key, a.key) : compare(a.key, b.key);
    });
    rows.forEach(function (entry) { body.appendChild(entry.row); });
  }

  document.querySelectorAll("table.sortable").forEach(function (table) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      if (head.dataset.fixed !== undefined) { return; }
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", function () {
        var now = head.getAttribute("aria-sort");
        var isDescending = now === "ascending" || (now === null && head.classList.contains("n"));
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
        sort(table, column, isDescending);
      });
    });
  });

  document.querySelectorAll("[data-search]").forEach(function (place) {
    var input = place.querySelector("input");
    var status = place.querySelector("[role=status]");
    var found = Array.from(document.querySelectorAll(place.dataset.search));
    place.hidden = false;
    input.addEventListener("input", function () {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      found.forEach(function (element) {
        var text = element.dataset.words.toLowerCase();
        element.hidden = !words.every(function (word) { return text.includes(word); });
      });
      var rows = found.filter(function (element) { return element.tagName === "TR"; });
      var shown = rows.filter(function (row) { return !row.hidden; }).length;
      status.textContent = words.length ? shown + " of " + rows.length : "";
      document.querySelectorAll(".cards").forEach(function (group) {
        var cards = Array.from(group.querySelectorAll("[data-words]"));
        if (cards.length) { group.parentElement.hidden = cards.every(function (card) { return card.hidden; }); }
      });
    });
  });
}());
