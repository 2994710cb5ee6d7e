/* The control in the header that imports a file: it opens the dialog for files at once, and a file that is dropped on
   the page does the same. Without scripts it is a link to a page that asks for the file. */
"use strict";
{
    const form = document.getElementById("opsdb-import");
    const input = form.querySelector("input[type=file]");
    const status = form.querySelector("[role=status]");
    const link = form.querySelector("a");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = link.textContent;
    link.replaceWith(button);

    button.addEventListener("click", () => {
        // The same file once more, after it was corrected, is a choice too.
        input.value = "";
        input.click();
    });
    input.addEventListener("change", () => {
        if (input.files.length) {
            form.requestSubmit();
        }
    });

    // A page that asks for a file itself, with options, takes what is dropped.
    const taking = document.querySelector("[data-opsdb-preview] input[type=file]") ?? input;
    const mark = (dragged) => {
        if (dragged) {
            document.documentElement.dataset.opsdbDrop = form.dataset.drop;
        } else {
            delete document.documentElement.dataset.opsdbDrop;
        }
    };
    const isFile = (event) => event.dataTransfer?.types.includes("Files") && !event.target.closest?.("input[type=file]");

    addEventListener("dragover", (event) => {
        if (isFile(event)) {
            event.preventDefault();
            mark(true);
        }
    });
    addEventListener("dragleave", (event) => event.relatedTarget ?? mark(false));
    addEventListener("drop", (event) => {
        mark(false);
        if (!isFile(event)) {
            return;
        }
        event.preventDefault();
        const files = event.dataTransfer.files;
        status.textContent = files.length > 1 ? form.dataset.several : "";
        if (files.length === 1) {
            taking.files = files;
            taking.dispatchEvent(new Event("change", {bubbles: true}));
        }
    });
}
