// The whole script of the dashboard. Pages are complete without it: it brings live updates, the theme without a reload,
// and the key to the search.
(() => {
  "use strict";
  const root = document.documentElement;

  // Theme: the server wrote the one it knows; the choice is remembered in a cookie, so that the next page has it at once.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-toggle]");
    if (!button) return;
    event.preventDefault();
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    document.cookie = `ilp_theme=${next}; path=/ui; max-age=31536000; samesite=lax`;
  });

  // Search: `/` goes there, unless something is being typed, or the key was turned off (WCAG 2.1.4).
  const slashIsOff = () => document.cookie.includes("ilp_slash=off");
  const showSlash = () => {
    for (const button of document.querySelectorAll("[data-slash]")) button.setAttribute("aria-pressed", String(!slashIsOff()));
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-slash]")) return;
    document.cookie = `ilp_slash=${slashIsOff() ? "on" : "off"}; path=/ui; max-age=31536000; samesite=lax`;
    showSlash();
  });
  showSlash();
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (slashIsOff() || event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    document.querySelector("#find")?.focus();
  });

  // Motion: stopped by the button, and from the start where the system asks for less of it.
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const still = (wanted) => {
    root.dataset.still = wanted ? "yes" : "no";
    for (const drawing of document.querySelectorAll("svg.topo")) wanted ? drawing.pauseAnimations() : drawing.unpauseAnimations();
    for (const button of document.querySelectorAll("[data-pause]")) button.setAttribute("aria-pressed", String(wanted));
  };
  if (reduced) still(true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pause]");
    if (button) still(root.dataset.still !== "yes");
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) navigator.clipboard?.writeText(button.dataset.copy || location.href);
  });

  // Live: when the node says that something of this page changed, the page is asked for again, and the parts of it that
  // differ are put in place. The server writes all markup; nothing a peer wrote is ever parsed from an event.
  const main = document.querySelector("main[data-topics]");
  const status = document.querySelector("#live"), words = status?.querySelector("span"), lost = document.querySelector("#lost");
  const said = document.querySelector("#said");
  if (!main || !status) return;
  const least = Number(main.dataset.poll || 1000);
  const waits = [1, 2, 4, 8, 15];
  let source = null, failures = 0, retry = 0, soon = 0, heard = Date.now(), wanted = false, busy = false, last = 0, told = "", toldAt = 0;

  const clock = (at) => new Date(at).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false});
  const isRead = (part) => part.contains(document.activeElement)
    || (part.querySelector("table") && (part.matches(":hover") || part.getBoundingClientRect().top < 0));

  // What is being read does not move: new rows wait behind a button that counts them.
  const waiting = new Map(), shownAs = new WeakMap();
  const rowKeys = (part) => [...part.querySelectorAll("tbody tr")].map((row) => row.querySelector("a")?.getAttribute("href") || row.textContent);
  const wait = (part, fresh) => {
    waiting.set(part, fresh);
    const known = new Set(rowKeys(part)), newer = rowKeys(fresh).filter((key) => !known.has(key)).length;
    let button = part.querySelector("[data-newer]");
    if (!newer || !part.querySelector("table")) return button?.remove();
    if (!button) {
      button = Object.assign(document.createElement("button"), {type: "button", className: "btn sm newer"});
      button.dataset.newer = "";
      (part.querySelector(".ch") || part.firstElementChild).after(button);
    }
    button.textContent = main.dataset.newerWord.replace("@", newer);
  };
  const put = (part, fresh) => {
    waiting.delete(part);
    shownAs.set(part, fresh.innerHTML);
    // Dots go on from where they are: a drawing that is replaced keeps its time. What was opened stays open.
    const times = [...part.querySelectorAll("svg.topo")].map((drawing) => drawing.getCurrentTime());
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    part.replaceChildren(...fresh.childNodes);
    part.querySelectorAll("details").forEach((details, i) => { details.open = open[i] || false; });
    part.querySelectorAll("svg.topo").forEach((drawing, i) => {
      drawing.setCurrentTime(times[i] || 0);
      if (root.dataset.still === "yes") drawing.pauseAnimations();
    });
  };
  document.addEventListener("click", (event) => {
    const part = event.target.closest("[data-newer]")?.closest("[data-live]");
    if (part && waiting.has(part)) put(part, waiting.get(part));
  });
  for (const left of ["pointerout", "focusout", "scrollend"]) document.addEventListener(left, () => setTimeout(() => {
    for (const [part, fresh] of waiting) if (!isRead(part)) put(part, fresh);
  }));

  const swap = (page) => {
    for (const part of main.querySelectorAll("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
      if (!fresh || (shownAs.get(part) ?? part.innerHTML) === fresh.innerHTML) continue;
      isRead(part) ? wait(part, fresh) : put(part, fresh);
    }
    for (const badge of document.querySelectorAll(".nav .n, .mobile-nav .n")) {
      const fresh = page.querySelector(badge.closest(".nav") ? ".nav .n" : ".mobile-nav .n");
      if (fresh && badge.innerHTML !== fresh.innerHTML) badge.replaceChildren(...fresh.childNodes);
    }
    const next = page.querySelector("main[data-topics]");
    if (!next) { source?.close(); delete status.dataset.on; }
  };

  const refresh = async () => {
    if (busy || document.hidden) return;
    busy = true; wanted = false; last = Date.now();
    try {
      const answer = await fetch(location.href, {headers: {"X-Live": "1"}, credentials: "same-origin"});
      if (answer.status === 401) return location.reload();
      if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch (_) { /* the stream says that the node is away */ }
    busy = false;
  };

  // As soon as it may: not more often than the page says, and one at a time.
  const want = () => {
    wanted = true;
    clearTimeout(soon);
    soon = setTimeout(() => { if (wanted) refresh(); }, Math.max(0, least - (Date.now() - last)));
  };

  const say = () => {
    const age = Date.now() - heard;
    status.classList.toggle("late", age > 3000);
    status.classList.toggle("off", age > 10000);
    const text = age > 10000 ? status.dataset.lost.replace("@", clock(heard)) : status.dataset.liveWord.replace("@", `${(age / 1000).toFixed(1)} s`);
    if (words.textContent !== text) words.textContent = text;
    // Read out only when it changes what it means, and not more often than once in ten seconds.
    const state = age > 10000 ? "off" : "on";
    if (state !== told && Date.now() - toldAt > 10000) {
      said.textContent = told ? text : "";
      told = state; toldAt = Date.now();
    }
    root.classList.toggle("stale", age > 10000);
    if (lost.hidden !== (age <= 10000)) {
      lost.querySelector("span").textContent = status.dataset.lost.replace("@", clock(heard));
      lost.hidden = age <= 10000;
    }
    if (wanted && Date.now() - last >= least) refresh();
  };

  const open = () => {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(`/ui/live?topics=${encodeURIComponent(main.dataset.topics)}`);
    const alive = () => { heard = Date.now(); failures = 0; };
    source.onopen = () => { if (failures) wanted = true; alive(); };
    source.onmessage = () => { alive(); want(); };
    for (const kind of ["beat", "gap", "change"]) source.addEventListener(kind, () => { alive(); if (kind !== "beat") want(); });
    source.onerror = () => {
      source.close();
      retry = setTimeout(open, waits[Math.min(failures++, waits.length - 1)] * 1000);
    };
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { clearTimeout(retry); source?.close(); } else { wanted = true; open(); }
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-try-now]")) { failures = 0; open(); wanted = true; } });
  status.dataset.on = "yes";
  open();
  setInterval(say, 250);
})();
