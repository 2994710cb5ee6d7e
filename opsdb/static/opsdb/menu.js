/* Stores which groups of the side bar are open, and opens them while something is typed to find a list. Without a
   storage the group of the page is open and the others open on a click. Without scripts Django shows no side bar. */
"use strict";
{
    const KEY = "opsdb.menu";
    const groups = [...document.querySelectorAll("#nav-sidebar [data-opsdb-group]")];
    const filter = document.getElementById("nav-filter");

    const remembered = () => {
        try {
            return JSON.parse(localStorage.getItem(KEY)) ?? {};
        } catch {
            return {};
        }
    };

    const remember = (group) => {
        try {
            localStorage.setItem(KEY, JSON.stringify({...remembered(), [group.dataset.opsdbGroup]: group.open}));
        } catch {
            // A browser may give a page no storage.
        }
    };

    const restore = () => {
        const known = remembered();
        for (const group of groups) {
            group.open = known[group.dataset.opsdbGroup] ?? false;
            group.open ||= "opsdbCurrent" in group.dataset;
        }
    };

    /* Django hides the lines that do not match. */
    const showFound = () => {
        if (filter.value.trim()) {
            for (const group of groups) {
                group.open = true;
            }
        } else {
            restore();
        }
    };

    for (const group of groups) {
        group.querySelector("summary").addEventListener("click", () => setTimeout(() => remember(group)));
    }
    filter?.addEventListener("input", showFound);
    filter?.addEventListener("keyup", showFound);
    restore();
    // Django fills the filter again with what was typed on the page before.
    addEventListener("load", () => filter?.value && showFound());
}
