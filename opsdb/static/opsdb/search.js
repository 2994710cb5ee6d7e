/* The key "/" leads to the search box, unless something is typed already. */
"use strict";
{
    const box = document.getElementById("opsdb-search-text");
    const isTyped = (element) => element.isContentEditable || element.matches("input, select, textarea, [role=textbox], [role=searchbox]");

    document.addEventListener("keydown", (event) => {
        const held = event.ctrlKey || event.metaKey || event.altKey;
        if (event.key === "/" && !held && !event.defaultPrevented && !isTyped(event.target)) {
            event.preventDefault();
            box.focus();
            box.select();
        }
    });
}
