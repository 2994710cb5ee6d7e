// Previews a file as soon as it is chosen, if every other field that is needed has a value.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("[data-opsdb-preview]")) {
    const file = form.querySelector("input[type=file]");
    const help = document.getElementById(`${file.id}_helptext`)?.firstElementChild;
    help?.append(` ${form.dataset.opsdbPreview}`);
    file.addEventListener("change", () => {
      if (file.files.length && form.checkValidity()) {
        form.requestSubmit();
      }
    });
  }
});
