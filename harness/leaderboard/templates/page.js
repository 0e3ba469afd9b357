(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");

  function each(list, act) { Array.prototype.forEach.call(list, act); }

  // the theme is kept where the browser lets a page from a file keep anything
  function kept(value) {
    try {
      if (value) { localStorage.setItem("theme", value); }
      return localStorage.getItem("theme");
    } catch (error) { return value; }
  }
  if (kept()) { root.dataset.theme = kept(); }
  document.getElementById("theme").addEventListener("click", function () {
    var dark = matchMedia("(prefers-color-scheme: dark)").matches;
    var now = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    kept(root.dataset.theme);
  });

  function key(row, column, kind) {
    var cell = row.rows[0].cells[column];
    var value = cell.dataset.v;
    if (kind === "text") { return value; }
    return value === "" ? null : Number(value);
  }

  function sorts(table) {
    var heads = table.tHead.rows[0].cells;
    each(heads, function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () {
        var before = head.getAttribute("aria-sort");
        var first = head.dataset.first === "down" ? "descending" : "ascending";
        var other = first === "ascending" ? "descending" : "ascending";
        var order = before === first ? other : first;
        each(heads, function (one) { one.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", order);
        var sign = order === "ascending" ? 1 : -1;
        var rows = Array.prototype.slice.call(table.querySelectorAll("tbody.row"));
        rows.sort(function (a, b) {
          var x = key(a, column, head.dataset.kind), y = key(b, column, head.dataset.kind);
          if (x === null || y === null) { return (x === null) - (y === null); }
          return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
        });
        rows.forEach(function (row) { table.appendChild(row); });
      });
    });
  }

  function filters(board) {
    var words = board.querySelector(".filter");
    var method = board.querySelector(".by-method");
    var badge = board.querySelector(".by-badge");
    var rows = board.querySelectorAll("tbody.row");
    var shown = board.querySelector(".shown");
    var texts = Array.prototype.map.call(rows, function (row) { return row.textContent.toLowerCase(); });
    function apply() {
      var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      var count = 0;
      each(rows, function (row, number) {
        var fits = wanted.every(function (word) { return texts[number].indexOf(word) >= 0; });
        if (method && method.value && row.dataset.method !== method.value) { fits = false; }
        if (badge && badge.value && row.dataset.badge !== badge.value) { fits = false; }
        row.hidden = !fits;
        count += fits;
      });
      shown.textContent = count + " of " + rows.length + " rows";
    }
    [words, method, badge].forEach(function (control) {
      if (control) { control.addEventListener("input", apply); }
    });
    apply();
  }

  each(document.querySelectorAll("table.sortable"), sorts);
  each(document.querySelectorAll(".board"), filters);
  each(document.querySelectorAll(".all-protocols"), function (box) {
    var table = box.closest(".board").querySelector("table.sortable");
    box.addEventListener("change", function () { table.classList.toggle("all", box.checked); });
  });
  each(document.querySelectorAll(".opens"), function (button) {
    button.addEventListener("click", function () {
      var open = document.getElementById(button.getAttribute("aria-controls")).classList.toggle("open");
      button.setAttribute("aria-expanded", String(open));
    });
  });
  each(document.querySelectorAll(".copies"), function (button) {
    if (!navigator.clipboard) { button.hidden = true; return; }
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(button.previousElementSibling.textContent).then(
        function () { button.textContent = "Copied"; },
        function () { button.hidden = true; }
      );
    });
  });
})();
