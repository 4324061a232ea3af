// Light, dark, or as the system has it.

import { element } from "./dom.js";

const KEY = "theme";
const THEMES = ["auto", "light", "dark"];

/** @param {() => void} changed */
export function theme(changed) {
  const button = element("theme");
  let now = read();
  const apply = () => {
    document.documentElement.dataset.theme = now;
    element("theme-name").textContent = now;
    changed();
  };
  button.addEventListener("click", () => {
    now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "auto";
    try {
      localStorage.setItem(KEY, now);
    } catch {
      // Then it lasts as long as the page.
    }
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  apply();
}

function read() {
  try {
    const kept = localStorage.getItem(KEY) ?? "";
    return THEMES.includes(kept) ? kept : "auto";
  } catch {
    return "auto";
  }
}
