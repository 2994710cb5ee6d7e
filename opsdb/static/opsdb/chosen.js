/* What is typed into the filter of a two-sided choice, and names choices exactly, is chosen when the field is left by Tab
   or the form is sent: one, or several with commas or blanks between them. What names none stays there, and is not lost
   without a word. Enter chooses the first choice that is shown for a text, as everywhere in the admin. */
"use strict";
addEventListener("load", () => {
  const gettext = window.gettext || ((text) => text);

  const begin = (box) => {
    const id = box.querySelector(".selector-chosen select").id.replace(/_to$/, "");
    const input = document.getElementById(`${id}_input`);
    const [from, to] = [`${id}_from`, `${id}_to`];
    const SelectBox = window.SelectBox;
    // How many were chosen when the text was typed, and the text that the form was already kept back for.
    let chosenBefore = SelectBox.cache[to].length, keptBack = "";

    const line = document.createElement("p");
    const [hint, chosenNow, leftNow] = ["span", "span", "strong"].map((name) => document.createElement(name));
    const status = document.createElement("span");
    line.className = "opsdb-typed";
    hint.textContent = gettext("Type a choice, or several with commas between them, and press Tab.");
    status.setAttribute("role", "status");
    status.append(chosenNow, " ", leftNow);
    line.append(hint, status);
    box.before(line);

    const called = (side, text) => {
      const name = text.toLowerCase();
      return SelectBox.cache[side].find((one) => [one.value, one.text].some((known) => known.toLowerCase() === name));
    };
    const partsOf = (text) => {
      const isOne = called(from, text) || called(to, text);
      return isOne ? [text] : text.split(/[\s,;]+/).filter(Boolean);
    };
    const report = (chosen, left, more = "") => {
      chosenNow.textContent = chosen.length ? `${gettext("Chosen:")} ${chosen.join(", ")}.` : "";
      const wrong = `${gettext("Not chosen, because no choice is called so:")} ${left.join(", ")}. ${more}`;
      leftNow.textContent = left.length ? wrong.trim() : "";
      hint.hidden = chosen.length + left.length > 0;
    };

    /* Chooses what is named exactly, and returns what is not. */
    const take = () => {
      const parts = partsOf(input.value.trim());
      const found = new Set(parts.map((part) => called(from, part)?.value).filter((value) => value !== undefined));
      const left = parts.filter((part) => !called(from, part) && !called(to, part));
      if (!parts.length) {
        return left;
      }
      SelectBox.filter(from, "");
      for (const option of document.getElementById(from).options) {
        option.selected = found.has(option.value);
      }
      SelectBox.move(from, to);
      input.value = left.join(", ");
      SelectBox.filter(from, input.value);
      window.SelectFilter.refresh_icons(id);
      chosenBefore = SelectBox.cache[to].length;
      report(parts.filter((part) => !left.includes(part)), left);
      return left;
    };

    input.addEventListener("input", () => {
      chosenBefore = SelectBox.cache[to].length;
      keptBack = "";
      report([], []);
    });
    input.addEventListener("keydown", (event) => {
      const text = input.value.trim();
      const parts = partsOf(text);
      if (event.key === "Tab" && !event.ctrlKey && !event.altKey) {
        take();
      } else if (event.key === "Enter" && parts.length > 1 && parts.every((part) => called(from, part))) {
        event.preventDefault();
        take();
      } else if (event.key === "Enter" && !text) {
        // Of nothing the first choice of all would be taken, which is everything.
        event.preventDefault();
      }
    });
    input.addEventListener("keyup", (event) => {
      const chosen = SelectBox.cache[to].slice(chosenBefore).map((one) => one.value);
      if (event.key === "Enter" && chosen.length) {
        report(chosen, []);
      }
    });
    // Before the admin's own script, which sends what is chosen.
    addEventListener("submit", (event) => {
      // Who has chosen something since has typed to narrow the list.
      if (event.target !== input.form || SelectBox.cache[to].length !== chosenBefore) {
        return;
      }
      const left = take();
      if (left.length && left.join() !== keptBack) {
        keptBack = left.join();
        event.preventDefault();
        event.stopImmediatePropagation();
        report([], left, gettext("Save again to leave it out."));
        input.focus();
      }
    }, true);
  };

  document.querySelectorAll(".opsdb-chosen .selector").forEach(begin);
});
