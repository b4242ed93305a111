// What the page can do beyond opening and closing: filter, names on the map, links that open what they point to.
"use strict";
(() => {
  const tree = document.querySelector(".tree"), found = document.querySelector(".found");
  const tools = document.querySelector(".tools"), field = tools.querySelector("input");
  const items = [...tree.querySelectorAll("li")], codes = items.filter(item => item.matches(".code"));
  const discs = [...document.querySelectorAll(".disc")], map = document.querySelector(".map");
  const details = [...tree.querySelectorAll("details")], tip = document.querySelector(".tip");
  const textOf = new Map(items.map(item => [item, plain(ownText(item))]));

  function plain(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  }

  function ownText(item) {
    const inside = item.firstElementChild;
    return inside.querySelector(":scope > summary > :first-child").textContent + " "
      + inside.querySelector(":scope > .about").textContent;
  }

  // A word found in a theme shows all its codes, one found in a code shows the themes above it.
  function filter() {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    const says = item => words.every(word => textOf.get(item).includes(word));
    const above = item => { const next = item.parentElement.closest("li"); return next && (says(next) || above(next)); };
    const hits = new Set(items.filter(item => says(item) || above(item)));
    for (const item of items) {
      const shown = hits.has(item) || [...item.querySelectorAll("li")].some(inner => hits.has(inner));
      item.classList.toggle("hidden", !shown);
    }
    const kept = codes.filter(code => hits.has(code));
    const ids = new Set(kept.map(code => "#" + code.id));
    for (const disc of discs) disc.classList.toggle("dimmed", !ids.has(disc.getAttribute("href")));
    found.textContent = words.length ? `${kept.length} of ${codes.length} codes` : "";
  }

  function reveal() {
    const wanted = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!wanted || !tree.contains(wanted)) return;
    if (wanted.matches(".hidden, .hidden *")) { field.value = ""; filter(); }
    for (let item = wanted; item; item = item.parentElement.closest("li")) item.firstElementChild.open = true;
    wanted.scrollIntoView({ block: "center" });
    wanted.querySelector("summary").focus({ preventScroll: true });
  }

  function name(disc) {
    const on = disc.querySelector("circle").getBoundingClientRect(), frame = map.getBoundingClientRect();
    tip.textContent = disc.getAttribute("aria-label");
    tip.hidden = false;
    const half = tip.offsetWidth / 2, middle = on.left + on.width / 2 - frame.left;
    tip.style.left = Math.min(Math.max(middle, half), frame.width - half) + "px";
    tip.style.top = Math.max(on.top - frame.top - 6, tip.offsetHeight) + "px";
  }

  tools.hidden = false;
  field.addEventListener("input", filter);
  field.addEventListener("keydown", event => { if (event.key === "Escape") { field.value = ""; filter(); } });
  for (const button of tools.querySelectorAll("button")) {
    button.addEventListener("click", () => { for (const each of details) each.open = button.dataset.open === "yes"; });
  }
  for (const disc of discs) {
    for (const title of disc.querySelectorAll("title")) title.remove();
    for (const came of ["mouseenter", "focus"]) disc.addEventListener(came, () => name(disc));
    for (const went of ["mouseleave", "blur"]) disc.addEventListener(went, () => { tip.hidden = true; });
  }
  addEventListener("hashchange", reveal);
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = details.filter(each => !each.open);
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of closed) each.open = false; });
  reveal();
})();
