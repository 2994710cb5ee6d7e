// Copies what is compared digit by digit, such as a UUID. The buttons are made here: without scripts they would do nothing.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const gettext = window.gettext || ((text) => text);
  const status = document.createElement("div");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  document.body.append(status);

  const copy = async (element) => {
    // Browsers give a page its clipboard only over HTTPS; the selection they give to every page.
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(element.textContent);
      return;
    }
    const selection = window.getSelection();
    selection.selectAllChildren(element);
    if (!document.execCommand("copy")) {
      throw new Error("The browser did not copy.");
    }
  };

  for (const element of document.querySelectorAll("code[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "opsdb-copy";
    button.title = gettext("Copy");
    button.setAttribute("aria-label", `${gettext("Copy")} ${element.textContent}`);
    button.addEventListener("click", async () => {
      try {
        await copy(element);
        status.textContent = gettext("Copied.");
        button.textContent = "✔";
      } catch {
        status.textContent = gettext("The browser did not copy; select the text instead.");
        button.textContent = "✘";
      }
      setTimeout(() => { status.textContent = ""; button.textContent = ""; }, 2000);
    });
    (element.closest("a") || element).after(button);
  }
});
