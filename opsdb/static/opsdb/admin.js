// Copies what is compared digit by digit, such as a UUID. The buttons are made here: without scripts they would do nothing.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const gettext = window.gettext || ((text) => text);
  const status = document.createElement("div");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  document.body.append(status);

  const copy = async (text) => {
    // Browsers give a page its clipboard only over HTTPS; the selection they give to every page.
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return;
    }
    const area = document.createElement("textarea");
    area.className = "visually-hidden";
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) {
      throw new Error("The browser did not copy.");
    }
  };

  for (const element of document.querySelectorAll("[data-copy]")) {
    const text = element.dataset.copy || element.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "opsdb-copy";
    button.title = gettext("Copy");
    button.setAttribute("aria-label", `${gettext("Copy")} ${text}`);
    button.addEventListener("click", async () => {
      try {
        await copy(text);
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

// The admin's calendars and clocks write dates and times as everything else here does, whatever the language.
document.addEventListener("DOMContentLoaded", () => {
  const formatOf = window.get_format;
  const iso = { DATE_INPUT_FORMATS: ["%Y-%m-%d"], TIME_INPUT_FORMATS: ["%H:%M:%S"] };
  if (formatOf) {
    window.get_format = (name) => iso[name] ?? formatOf(name);
  }
});

// The local time below what is written in UTC.
document.addEventListener("DOMContentLoaded", () => {
  for (const line of document.querySelectorAll(".opsdb-moment [data-zone]")) {
    const box = line.closest(".opsdb-moment");
    const [day, time] = box.querySelectorAll("input");
    const local = new Intl.DateTimeFormat("sv-SE", {
      timeZone: line.dataset.zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    });
    const show = () => {
      const moment = new Date(`${day.value}T${time.value || "00:00"}Z`);
      line.firstElementChild.textContent = Number.isNaN(moment.getTime()) ? "–" : local.format(moment);
    };
    // Calendars and clocks write without an event of their own, and give the input the focus.
    for (const event of ["input", "change", "focusin", "focusout"]) {
      box.addEventListener(event, show);
    }
  }
});

// What a column means, where the mouse is.
document.addEventListener("DOMContentLoaded", () => {
  for (const term of document.querySelectorAll(".opsdb-about [data-column]")) {
    const heading = document.querySelector(`#result_list thead .column-${CSS.escape(term.dataset.column)}`);
    heading?.setAttribute("title", term.nextElementSibling.textContent);
  }
});

// Names the controls that Django and Select2 leave without a name for screen readers.
{
  const textOf = (element) => element?.textContent.trim().replace(/:$/, "") || "";

  const columnOf = (control) => {
    const cell = control.closest(".tabular td");
    return cell ? textOf(cell.closest("table").tHead.rows[0].cells[cell.cellIndex]) : "";
  };

  const partOf = (control) => {
    const parts = control.closest(".datetime");
    const whole = textOf(parts?.closest("fieldset.flex-container, fieldset")?.querySelector("legend"));
    return parts ? `${whole || columnOf(control)} ${textOf(control.previousSibling)}`.trim() : "";
  };

  const nameOf = (control) =>
    control.getAttribute("aria-label") ||
    [...(control.labels || [])].map(textOf).join(" ") ||
    partOf(control) ||
    columnOf(control);

  const nameControls = (root) => {
    for (const control of root.querySelectorAll("input:not([type=hidden]), select, textarea")) {
      const name = nameOf(control);
      if (name && !control.labels?.length) {
        control.setAttribute("aria-label", name);
      }
      if (!control.matches(".select2-hidden-accessible")) {
        continue;
      }
      for (const part of control.nextElementSibling.querySelectorAll("[role=combobox], [role=searchbox], [role=textbox]")) {
        part.setAttribute("aria-label", name);
        // The text of what is chosen is no name, and there is none where nothing is chosen.
        const chosen = part.getAttribute("aria-labelledby");
        if (chosen) {
          part.removeAttribute("aria-labelledby");
          part.setAttribute("aria-describedby", chosen);
        }
      }
    }
  };

  // What is wider than its box is scrolled by keyboard too.
  const reachScrolled = () => {
    for (const box of document.querySelectorAll(".results, .tabular .wrapper, .tabular fieldset.module, .opsdb-outcome")) {
      if (box.scrollWidth > box.clientWidth) {
        box.tabIndex = 0;
      }
    }
  };

  // Django names the icons that explain its two-sided choices, but does not mark them as images.
  const callIconsImages = () => {
    for (const icon of document.querySelectorAll("span.help-tooltip[aria-label]")) {
      icon.setAttribute("role", "img");
    }
  };

  // Django gives the first control of a form that adds a row the focus: here that would save in spite of the warnings.
  const focusWarnings = () => {
    const warnings = document.querySelector(".opsdb-warned");
    if (warnings) {
      warnings.tabIndex = -1;
      warnings.focus();
    }
  };

  window.addEventListener("load", () => {
    focusWarnings();
    const searchbar = document.getElementById("searchbar");
    searchbar?.setAttribute("aria-label", searchbar.labels[0]?.querySelector("img")?.alt || searchbar.name);
    reachScrolled();
    // In line behind what makes the controls.
    window.django?.jQuery(() => nameControls(document));
    setTimeout(callIconsImages);
    window.django?.jQuery(document).on("select2:open", (event) => {
      const typed = document.querySelector(".select2-container--open .select2-search__field");
      typed?.setAttribute("aria-label", nameOf(event.target));
    });
  });
  document.addEventListener("formset:added", (event) => setTimeout(() => nameControls(event.target)));
}

// On a phone the cells of a row in a form stand below each other, each after the name of its column.
document.addEventListener("DOMContentLoaded", () => {
  for (const heading of document.querySelectorAll(".inline-group .tabular th[class*='column-']")) {
    const name = [...heading.classList].find((one) => one.startsWith("column-")).slice("column-".length);
    const table = heading.closest("table");
    table.classList.add("opsdb-cards");
    for (const cell of table.querySelectorAll(`td.field-${CSS.escape(name)}`)) {
      cell.dataset.label = heading.textContent.trim();
    }
  }
});

// Fills inputs with what a button offers, such as the next free time of a slot.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-opsdb-fill]")) {
    button.addEventListener("click", () => {
      const inputs = Object.entries(JSON.parse(button.dataset.opsdbFill)).map(([id, value]) => {
        const input = document.getElementById(id);
        input.value = value;
        input.dispatchEvent(new Event("change", { bubbles: true }));
        return input;
      });
      // The error was about what stood there before.
      const error = button.closest(".errorlist > li");
      if (error && button.dataset.opsdbFilled) {
        const errors = error.parentElement;
        const note = document.createElement("p");
        note.className = "opsdb-filled";
        note.setAttribute("role", "status");
        errors.before(note);
        note.textContent = button.dataset.opsdbFilled;
        error.remove();
        if (!errors.children.length) {
          errors.remove();
        }
        if (!document.querySelector(".errorlist")) {
          document.querySelector("p.errornote")?.remove();
        }
      }
      inputs[0]?.focus();
    });
  }
});
