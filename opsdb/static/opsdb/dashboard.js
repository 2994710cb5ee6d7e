/* Reloads the dashboard while the page is visible. Without it the page shows what it was loaded with. */
"use strict";
{
    const lookedAt = () => document.visibilityState === "visible";

    class Dashboard {
        constructor(region) {
            this.region = region;
            this.words = region.dataset;
            this.live = document.getElementById("opsdb-live");
            this.period = Number(this.words.opsdbSeconds) * 1000;
            this.paused = false;
            this.asked = Date.now();
            this.busy = false;
            this.button = document.createElement("button");
            this.button.type = "button";
            this.button.className = "opsdb-pause";
            this.button.addEventListener("click", () => this.pause(!this.paused));
            this.notice = document.createElement("p");
            this.notice.className = "opsdb-notice";
            this.notice.hidden = true;
            region.before(this.button, this.notice);
            this.pause(false);
            this.timer = setInterval(() => this.askWhenDue(), 1000);
            document.addEventListener("visibilitychange", () => this.askWhenDue());
        }

        pause(paused) {
            this.paused = paused;
            this.button.textContent = paused ? this.words.opsdbResume : this.words.opsdbPause;
            this.askWhenDue();
        }

        askWhenDue() {
            if (!this.paused && !this.busy && lookedAt() && Date.now() - this.asked >= this.period) {
                this.ask();
            }
        }

        async ask() {
            this.busy = true;
            this.asked = Date.now();
            try {
                const answer = await fetch(this.words.opsdbRefresh, {
                    credentials: "same-origin", cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(30000),
                });
                const text = await answer.text();
                if (answer.ok && text.includes("data-opsdb-summary")) {
                    this.show(text);
                } else if (answer.ok || answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
                    // The page to log in came instead.
                    this.end();
                } else {
                    this.announce(this.words.opsdbLost);
                }
            } catch {
                this.announce(this.words.opsdbLost);
            }
            this.busy = false;
        }

        /* Nothing that a reader does is lost: what is open stays open, what is scrolled stays so, and the focus too. */
        show(html) {
            const open = [...this.region.querySelectorAll("details[open][id]")].map((one) => one.id);
            const places = [...this.region.querySelectorAll(".opsdb-scroll")].map((one) => one.scrollLeft);
            const focus = this.region.contains(document.activeElement) ? document.activeElement : null;
            const path = focus && this.pathOf(focus);
            const before = this.summary();
            this.region.innerHTML = html;
            for (const id of open) {
                document.getElementById(id)?.setAttribute("open", "");
            }
            this.region.querySelectorAll(".opsdb-scroll").forEach((one, index) => { one.scrollLeft = places[index] ?? 0; });
            if (path) {
                this.at(path)?.focus({preventScroll: true});
            }
            this.notice.hidden = true;
            if (this.summary() !== before) {
                this.live.textContent = this.summary();
            }
        }

        summary() {
            return this.region.querySelector("[data-opsdb-summary]")?.dataset.opsdbSummary ?? "";
        }

        pathOf(element) {
            const path = [];
            for (let one = element; one !== this.region; one = one.parentElement) {
                path.unshift([...one.parentElement.children].indexOf(one));
            }
            return path;
        }

        at(path) {
            return path.reduce((one, index) => one?.children[index], this.region);
        }

        announce(text) {
            this.notice.textContent = text;
            this.notice.hidden = false;
            this.live.textContent = text;
        }

        end() {
            clearInterval(this.timer);
            this.paused = true;
            this.button.remove();
            this.announce(this.words.opsdbEnded);
        }
    }

    document.addEventListener("DOMContentLoaded", () => {
        document.querySelectorAll("[data-opsdb-refresh]").forEach((region) => new Dashboard(region));
    });
}
