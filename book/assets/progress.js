/* What a reader has read and answered, kept on this device only: nothing is sent. */
(() => {
  const KEY = "normalizing-flows";
  const DAYS = [0, 1, 3, 7, 21, 60]; // until a question is due again, by right answers in a row
  const DAY = 24 * 60 * 60 * 1000;
  const HOUR = DAY / 24;
  const SHOWN = 3; // due questions on the first page

  /** {read: {page: ids}, sections: {page: count}, answers: {"page#quiz": {title, number, text, right, row, time}}} */
  const recall = () => {
    const state = { read: {}, sections: {}, answers: {} };
    try {
      const kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
      for (const part of Object.keys(state)) if (kept[part] instanceof Object) state[part] = kept[part];
    } catch {} // refused, or damaged
    return state;
  };
  const keep = (change) => {
    const state = recall();
    change(state);
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
    } catch {
      return; // refused: the page does all else
    }
    show();
  };
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const root = new URL(document.documentElement.dataset.content_root ?? "./", location.href);
  const pageOf = (url) => url.pathname.slice(root.pathname.length).replace(/\.html$/, "") || "index";
  const page = pageOf(new URL(location.href));
  const title = document.querySelector("h1")?.firstChild?.textContent ?? document.title;
  const sections = [...document.querySelectorAll("article section > section[id]")].filter(
    (each) => each.parentElement.parentElement.closest("section") === null,
  );
  const quizzes = [...document.querySelectorAll(".quiz")];

  function show() {
    const { read, sections: counts, answers } = recall();
    for (const old of document.querySelectorAll(".progress-mark, .quiz-earlier")) old.remove();
    const mark = (link, text, spoken) =>
      link.append(make("span", { className: "progress-mark", role: "img", ariaLabel: spoken }, ` ${text}`));
    for (const link of document.querySelectorAll(".bd-sidebar-secondary a[href^='#']")) {
      if (read[page]?.includes(link.hash.slice(1))) mark(link, "✓", "read");
    }
    for (const link of document.querySelectorAll("#pst-primary-sidebar nav a.internal")) {
      const other = pageOf(new URL(link.href));
      const [done, all] = [read[other]?.length ?? 0, counts[other]];
      if (done) mark(link, done >= all ? "✓" : `${done}/${all}`, `${done} of ${all} sections read`);
    }
    for (const quiz of quizzes) {
      const { text, right } = answers[`${page}#${quiz.id}`] ?? {};
      if (!text) continue;
      const words = `Your latest answer: “${text}” (${right ? "right" : "not quite"}).`;
      quiz.querySelector("details").before(make("p", { className: "quiz-earlier" }, words));
    }
    offer(answers, read);
  }

  /** On the first page: the questions that are due again, and the button that forgets. */
  function offer(answers, read) {
    document.querySelector(".progress-kept")?.remove();
    if (page !== "index") return;
    const due = Object.entries(answers)
      .filter(([, { row, time }]) => Date.now() > time + Math.max(DAYS[row] * DAY, HOUR))
      .sort(([, a], [, b]) => a.row - b.row || a.time - b.time)
      .slice(0, SHOWN);
    const kept = make("section", { className: "progress-kept", ariaLabel: "Your progress" });
    if (due.length) {
      const links = due.map(([place, each]) => {
        const [other, id] = place.split("#");
        const href = new URL(`${other}.html#${id}`, root);
        return make("li", {}, make("a", { href }, `${each.title}, question ${each.number}`));
      });
      kept.append(make("p", {}, "Answer again, before you forget:"), make("ul", {}, ...links));
    }
    const some = Object.keys(answers).length || Object.keys(read).length;
    let words = "What you read and answer is remembered on this device only.";
    try {
      localStorage.setItem(`${KEY}-try`, "");
      localStorage.removeItem(`${KEY}-try`);
    } catch {
      words = "This browser keeps nothing for these pages, so what you read and answer is not remembered.";
    }
    const forget = make("button", { type: "button", className: "progress-forget" }, "Forget it");
    forget.addEventListener("click", () => {
      localStorage.removeItem(KEY);
      show();
      document.querySelector(".progress-kept").append(make("p", { role: "status" }, "Forgotten."));
    });
    kept.append(make("p", {}, words, some ? " " : "", ...(some ? [forget] : [])));
    document.getElementById("what-you-learn-where").before(kept); // far enough down to move nothing in sight
  }

  for (const [i, quiz] of quizzes.entries()) {
    quiz.id ||= quiz.querySelector("details").getAttribute("name");
    if (location.hash === `#${quiz.id}`) quiz.scrollIntoView({ block: "center" });
    for (const answer of quiz.querySelectorAll("details")) {
      answer.addEventListener("toggle", () => {
        if (!answer.open) return;
        const right = answer.classList.contains("right");
        const text = answer.querySelector("summary").innerText;
        keep(({ answers }) => {
          const place = `${page}#${quiz.id}`;
          const before = answers[place]?.row ?? 0;
          const row = right ? Math.min(before + 1, DAYS.length - 1) : 0;
          answers[place] = { title, number: i + 1, text, right, row, time: Date.now() };
        });
      });
    }
  }
  if (page !== "index" && quizzes.length) {
    const seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        keep(({ read, sections: counts }) => {
          counts[page] = sections.length;
          read[page] = [...new Set([...(read[page] ?? []), target.closest("section").id])];
        });
      }
    });
    for (const section of sections) {
      const end = make("span", { className: "progress-end" }); // a section is read once its end was seen
      section.append(end);
      seen.observe(end);
    }
  }
  show();
})();
