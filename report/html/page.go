package html

import (
	"cmp"
	"strings"
	"time"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
)

// write writes the whole page: a function for each section, in the order of the page.
func (w *writer) write() {
	w.head()
	w.put(`
<body>
<a class="skip" href="#main">Skip to the report</a>`)
	w.facts()
	w.put(`
<main id="main" tabindex="-1">
`)
	w.score()
	w.contents()
	w.horizon()
	w.causes()
	w.notAssessed()
	for _, c := range w.Chapters {
		w.chapter(c)
	}
	w.waived()
	w.development()
	w.consequences()
	w.method()
	w.limits()
	w.put(`
</main>
<footer>
<p>{}. This file is complete in itself: it holds no script and loads nothing.</p>
</footer>
</body>
</html>
`, w.Tool)
}

func (w *writer) head() {
	w.put(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Forensic readiness: {}</title>
<style>`, w.StyleHash, w.Headline())
	w.style()
	w.put(`</style>
</head>`)
}

func (w *writer) facts() {
	w.put(`
<header class="top">
<h1>Forensic readiness of `)
	for i, target := range w.Targets {
		if i > 0 {
			w.put(`, `)
		}
		w.put(`<code>{}</code>`, target)
	}
	switch of := w.Of(); {
	case len(w.Targets) == 0:
		w.put(`{}`, cmp.Or(of, "nothing"))
	case of != "":
		w.put(`: {}`, of)
	}
	w.put(`</h1>`)
	if w.Partial {
		w.put(`
<p class="warning"><strong>This scan was cut short.</strong> What was not reached is not in this report, neither as a failure nor as a pass.</p>`)
	}
	w.put(`
<dl class="facts">
<div><dt>Scanned</dt><dd><time datetime="{}">{}</time> to <time datetime="{}">{}</time></dd></div>
<div><dt>Tool</dt><dd>{}</dd></div>
<div><dt>Evidence</dt><dd>`, stamp(w.Started), date(w.Started), stamp(w.Ended), date(w.Ended), w.Tool)
	if w.Evidence != "" {
		w.put(`SHA-256 <code>{}</code>`, w.Evidence)
	} else {
		w.put(`no SHA-256: the evidence was not saved`)
	}
	w.put(`</dd></div>
</dl>
</header>`)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

func (w *writer) score() {
	w.put(`
<section id="score" aria-labelledby="score-h">
<h2 id="score-h">Score</h2>
<p class="headline">{}</p>`, w.Headline())
	if len(w.Bar) > 0 {
		w.bar()
		w.tally()
	}
	w.put(`
</section>
`)
}

func (w *writer) bar() {
	w.put(`
<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">`)
	for _, s := range w.Bar {
		if s.Width != 0 {
			w.put(`
<rect class="{}" x="{}" y="0" width="{}" height="4"></rect>`, s.Class, s.From, s.Width)
		}
	}
	w.put(`
</svg>
<ul class="legend">`)
	for _, s := range w.Bar {
		w.put(`
<li><svg class="key" viewBox="0 0 4 4" aria-hidden="true" focusable="false"><rect class="{}" x="0" y="0" width="4" height="4"></rect></svg>{}</li>`, s.Class, s.Text)
	}
	w.put(`
</ul>`)
}

func (w *writer) tally() {
	s := w.Score
	w.put(`
<p>Of what counts: {} pass, {} fail, {} waived, {} not assessed.`, s.Pass, s.Fail, s.Waived, s.NotAssessed)
	switch s.Declared {
	case 0:
	case 1:
		w.put(` Of the passes, 1 rests on the owner’s word alone.`)
	default:
		w.put(` Of the passes, {} rest on the owner’s word alone.`, s.Declared)
	}
	if s.Consequences > 0 || s.Development > 0 {
		w.put(` Listed and not counted: {}, {} in what never runs in production.`,
			count(s.Consequences, "consequence of another failure", "consequences of other failures"), count(s.Development, "failure", "failures"))
	}
	if len(w.Known) > 0 {
		w.put(` Failures that the baseline already had are marked “in the baseline”; they count all the same.`)
	}
	w.put(`</p>`)
}

func (w *writer) contents() {
	w.put(`
<nav aria-label="Contents">
<ul>
<li><a href="#horizon">If it happened today</a></li>
<li><a href="#causes">Causes of failure</a></li>
<li><a href="#not-assessed">Not assessed</a></li>`)
	for _, c := range w.Chapters {
		w.put(`
<li><a href="#{}">{}</a></li>`, c.Name, c.Question)
	}
	w.put(`
<li><a href="#waived">Waived</a></li>
<li><a href="#development">Development</a></li>
<li><a href="#consequences">Consequences</a></li>
<li><a href="#method">How the score is computed</a></li>
<li><a href="#limits">What this report is not</a></li>
</ul>
</nav>
`)
}

func (w *writer) horizon() {
	w.put(`
<section id="horizon" aria-labelledby="horizon-h">
<h2 id="horizon-h">If it happened today</h2>`)
	if len(w.Stretches) > 0 {
		w.stretches()
	} else {
		w.put(`
<p>No asset in production was found of which one could say how far back it can be seen.</p>`)
	}
	if len(w.Horizon) > 0 {
		w.rows()
	}
	w.put(`
</section>
`)
}

func (w *writer) stretches() {
	w.put(`
<p>How far back an investigator could look from the moment of the scan. All through that time the records were switched on, they arrived, and they can still be had. Only events that a source is documented to write are promised.</p>
<table class="stack groups">
<caption class="aside">How many assets can look back how far, and why</caption>
<thead><tr><th scope="col">Activity</th><th scope="col">Look back</th><th scope="col" class="n">Assets</th><th scope="col">Because</th></tr></thead>
<tbody>`)
	for _, s := range w.Stretches {
		what := string(s.Activity)
		if len(s.Unseen) > 0 {
			what = "what we could not list"
		}
		w.put(`
<tr><th scope="row">{}</th><td>{}</td><td class="n">{}</td><td>{}</td></tr>`, what, s.Back(), s.Assets, s.Ends)
	}
	w.put(`
</tbody>
</table>`)
	if w.MoreStretches > 0 {
		w.put(`
<p class="more">and {} more in the table of each asset</p>`, w.MoreStretches)
	}
}

func (w *writer) rows() {
	w.put(`
<details>
<summary>Each asset ({})</summary>
<table class="stack each">
<caption class="aside">How far back each asset can be seen</caption>
<thead><tr><th scope="col">Asset</th><th scope="col">Activity</th><th scope="col">Look back</th><th scope="col">Because</th><th scope="col">Seen at</th></tr></thead>
<tbody>`, w.Rows)
	for _, row := range w.Horizon {
		w.put(`
<tr><th scope="row"><code>{}</code> {}`, row.Asset.ID, row.Asset.Kind)
		if row.Development {
			w.put(` (never runs in production)`)
		}
		w.put(`</th><td>{}</td><td>{}</td><td>{}</td><td>`, row.Activity, row.Back(), row.Ends)
		at := w.At(row.Asset.ID, row.Because)
		if strings.Contains(row.Ends, at.Note) {
			at.Note = ""
		}
		w.origin(at)
		w.put(`</td></tr>`)
	}
	w.put(`
</tbody>
</table>`)
	w.more(w.MoreRows)
	w.put(`
</details>`)
}

func (w *writer) causes() {
	w.put(`
<section id="causes" aria-labelledby="causes-h">
<h2 id="causes-h">Causes of failure</h2>`)
	for _, c := range w.Causes {
		w.put(`
<article class="cause">
<h3><span class="sev {}">{}</span> <span class="text">{}</span></h3>
<div class="body">
<p class="meta"><a href="#{}"><code>{}</code></a> {}: {}</p>
`,
			c.Severity, c.Severity, c.Text, c.Check.ID, c.Check.ID, c.Check.Title, count(c.Subjects, "failure", "failures"))
		w.places(c)
		for _, cure := range c.Cures {
			w.put(`
<p><b>Cure`)
			if cure.For != "" {
				w.put(`, {}`, cure.For)
			}
			w.put(`:</b> {}</p>`, cure.Text)
		}
		if c.See != "" {
			w.put(`
<p>The cure is the one given above for {}.</p>`, c.See)
		}
		w.put(`
</div>
</article>`)
	}
	if len(w.Causes) == 0 {
		w.put(`
<p>No failure that counts.</p>`)
	}
	w.put(`
</section>
`)
}

func (w *writer) chapter(c chapter) {
	w.put(`
<section id="{}" class="chapter" aria-labelledby="{}-h">
<h2 id="{}-h">{}</h2>
<table class="stack counts">
<caption class="aside">Checks of this question</caption>
<thead><tr><th scope="col">Check</th><th scope="col">Severity</th><th scope="col" class="n">Pass</th><th scope="col" class="n">Fail</th><th scope="col" class="n">Waived</th><th scope="col" class="n">Not assessed</th></tr></thead>
<tbody>`, c.Name, c.Name, c.Name, c.Question)
	for _, t := range c.Checks {
		w.put(`
<tr><th scope="row">{} <a href="#{}"><code>{}</code></a></th><td>{}`, t.Title, t.ID, t.ID, t.Severity)
		if t.OnDemand {
			w.put(`, not scored`)
		}
		w.put(`</td>`)
		for _, n := range []int{t.Pass, t.Fail, t.Waived, t.NotAssessed} {
			w.put(`<td class="n">{}</td>`, n)
		}
		w.put(`</tr>`)
	}
	w.put(`
</tbody>
</table>`)
	for _, t := range c.Checks {
		w.check(t)
	}
	w.put(`
</section>
`)
}

func (w *writer) check(t *tested) {
	w.put(`
<section id="{}" class="check" aria-labelledby="{}-h">
<h3 id="{}-h">{}</h3>
<p class="meta"><code>{}</code>`, t.ID, t.ID, t.ID, t.Title, t.ID)
	if t.Unasked > 0 {
		w.put(` It has no meaning for {}.`, count(t.Unasked, "subject", "subjects"))
	}
	if t.Consequences > 0 {
		w.put(` Not counted: {} of another failure.`, count(t.Consequences, "consequence", "consequences"))
	}
	if t.Development > 0 {
		w.put(` Not counted: {} about what never runs in production.`, count(t.Development, "result", "results"))
	}
	if t.OnDemand {
		w.put(` It does not count in the score.`)
	}
	if !t.Shown {
		w.put(` Its results are listed with --verbose, and in results.json.`)
	}
	w.put(`</p>
<details class="doc">
<summary>Why it matters, and the cure</summary>`)
	for _, p := range t.Story {
		w.put(`
<p>{}</p>`, p)
	}
	w.put(`
</details>`)
	if t.Shown {
		for _, l := range t.Lists {
			w.list(l)
		}
	}
	w.put(`
</section>`)
}

func (w *writer) list(l list) {
	if l.Open {
		w.put(`
<details open>`)
	} else {
		w.put(`
<details>`)
	}
	w.put(`
<summary>{}</summary>
<ul class="results">`, l.Title)
	for _, res := range l.Results {
		w.put(`
<li><span class="o {}">{}</span><div>`, res.Outcome, outcome(res))
		w.said(res)
		w.put(`</div></li>`)
	}
	w.put(`
</ul>`)
	w.more(l.More)
	w.put(`
</details>`)
}

func (w *writer) notAssessed() {
	w.put(`
<section id="not-assessed" aria-labelledby="not-assessed-h">
<h2 id="not-assessed-h">What could not be assessed, and why</h2>`)
	if len(w.Unread) > 0 {
		w.put(`
<h3>Could not be read</h3>`)
		w.gaps(w.Unread, w.MoreUnread)
	}
	if len(w.Open) > 0 {
		w.put(`
<h3>Could not be told</h3>`)
	}
	for _, u := range w.Open {
		w.unknown(u)
	}
	if len(w.Grants) > 0 {
		w.put(`
<h3 id="grants">Actions to allow</h3>
<p>With these, what was refused is answered. <code>lookback permissions</code> prints all that a scan needs.</p>
<ul>`)
		for _, action := range w.Grants {
			w.put(`
<li><code>{}</code></li>`, action)
		}
		w.put(`
</ul>`)
	}
	if len(w.Unanswered) > 0 {
		w.put(`
<h3>Outside of what was scanned</h3>`)
		w.gaps(w.Unanswered, w.MoreUnanswered)
	}
	if len(w.Unread)+len(w.Unanswered)+len(w.Open) == 0 {
		w.put(`
<p>Everything that was asked was assessed.</p>`)
	}
	if len(w.Kinds) > 0 {
		w.put(`
<p>Seen, and not asked about: `)
		for i, kind := range w.Kinds {
			if i > 0 {
				w.put(`, `)
			}
			w.put(`<bdi>{}</bdi>`, kind)
		}
		w.put(`.</p>`)
	}
	w.put(`
</section>
`)
}

// unknown writes one reason for which something could not be told: what it blinds, and where.
func (w *writer) unknown(u unknown) {
	w.put(`
<article class="cause">
<h4><span class="sev o not-assessed">not assessed</span> <span class="text">{}</span></h4>
<div class="body">`, u.Text)
	for i, check := range u.Checks {
		if i == 0 {
			w.put(`
<p class="meta">{}: `, count(u.Subjects, "answer missing", "answers missing"))
		} else {
			w.put(`, `)
		}
		w.put(`<a href="#{}"><code>{}</code></a>`, check, check)
		if i == len(u.Checks)-1 {
			w.put(`</p>`)
		}
	}
	if u.Subjects > short || u.Call != "" {
		w.put(`
<details>
<summary>Where</summary>`)
		w.blinded(u)
		w.put(`
</details>`)
	} else {
		w.blinded(u)
	}
	w.put(`
</div>
</article>`)
}

func (w *writer) blinded(u unknown) {
	if len(u.Places) > 0 {
		w.put(`
<ul class="targets">`)
		for _, p := range u.Places {
			w.put(`
<li><code class="target">{}</code>
<ul>`, target(p.Target))
			for _, of := range p.Subjects {
				w.put(`
<li><bdi>{}</bdi>`, of.first.Subject.Name)
				if at := where(w.Cite(of.first)); at != "" {
					w.put(` <code>{}</code>`, at)
				}
				if u.Call == "" {
					w.marks(of.first, u.Text)
				}
				if len(u.Checks) > 1 {
					for i, check := range of.checks {
						w.put(`{} <code>{}</code>`, [2]string{":", ","}[min(i, 1)], check)
					}
				}
				w.put(`</li>`)
			}
			w.put(`
</ul></li>`)
		}
		w.put(`
</ul>`)
	}
	w.more(u.More)
	if len(u.Gaps) > 0 {
		w.gaps(u.Gaps, u.MoreGaps)
	}
}

func (w *writer) gaps(gaps []evidence.Gap, more int) {
	w.put(`
<ul class="results">`)
	for _, g := range gaps {
		w.put(`
<li><div class="message">{}: {}`, g.Asked, g.Why)
		if g.Err != "" {
			w.put(`; {}`, g.Err)
		}
		w.put(`</div><div class="where"><code>{}</code>`, g.In)
		if at := where(w.At(g.In, g.At)); at != "" {
			w.put(`, at <code>{}</code>`, at)
		}
		w.note(g.At.Note)
		w.put(`</div></li>`)
	}
	w.put(`
</ul>`)
	w.more(more)
}

func (w *writer) waived() {
	w.put(`
<section id="waived" aria-labelledby="waived-h">
<h2 id="waived-h">Waived</h2>`)
	if len(w.Waived.Results) > 0 {
		w.put(`
<p>These fail, and their owner accepts that. They count against the score.</p>
<ul class="results">`)
		for _, res := range w.Waived.Results {
			w.put(`
<li><span class="o waived">waived</span><div>`)
			w.said(res)
			if waiver := res.Waiver; waiver != nil {
				w.put(`<div>Reason: <bdi>{}</bdi>. Accepted by `, waiver.Reason)
				w.acceptance(*waiver)
				w.put(`.</div>`)
			}
			w.put(`</div></li>`)
		}
		w.put(`
</ul>`)
		w.more(w.Waived.More)
	} else {
		w.put(`
<p>No failure is waived.</p>`)
	}
	if len(w.Expired) > 0 {
		w.put(`
<h3>Waivers that have expired</h3>
<p>What they covered counts as a failure again.</p>`)
		w.waivers(w.Expired)
	}
	if len(w.Idle) > 0 {
		w.put(`
<h3>Waivers that match no failure</h3>`)
		w.waivers(w.Idle)
	}
	w.put(`
</section>
`)
}

func (w *writer) waivers(waivers []evidence.Waiver) {
	w.put(`
<ul class="results">`)
	for _, waiver := range waivers {
		w.put(`
<li><div class="message"><code>{}</code> of <code>{}</code>: {}</div><div class="where">accepted by `, waiver.Check, waiver.Subject, waiver.Reason)
		w.acceptance(waiver)
		w.put(`</div></li>`)
	}
	w.put(`
</ul>`)
}

// acceptance says who accepted, until when, and where.
func (w *writer) acceptance(waiver evidence.Waiver) {
	if waiver.Who != "" {
		w.put(`<bdi>{}</bdi>`, waiver.Who)
	} else {
		w.put(`nobody that is named`)
	}
	if waiver.Until != "" {
		w.put(`, until {}`, waiver.Until)
	} else {
		w.put(`, for good`)
	}
	w.put(`; written at `)
	w.origin(waiver.At)
}

func (w *writer) development() {
	w.put(`
<section id="development" aria-labelledby="development-h">
<h2 id="development-h">Development</h2>`)
	if len(w.Development) > 0 {
		w.put(`
<p>Failures in what never runs in production. They do not count.</p>`)
		w.uncounted(w.Development)
	} else {
		w.put(`
<p>No failure in what never runs in production.</p>`)
	}
	w.put(`
</section>
`)
}

func (w *writer) consequences() {
	w.put(`
<section id="consequences" aria-labelledby="consequences-h">
<h2 id="consequences-h">Consequences</h2>`)
	if len(w.Consequences) > 0 {
		w.put(`
<p>Each of these follows from a failure above and goes away with it. They do not count.</p>`)
		w.uncounted(w.Consequences)
	} else {
		w.put(`
<p>No failure follows from another.</p>`)
	}
	w.put(`
</section>
`)
}

// uncounted lists failures that do not count.
func (w *writer) uncounted(causes []cause) {
	for _, c := range causes {
		w.put(`
<article class="cause">
<h3><span class="sev {}">{}</span> <span class="text">{}</span></h3>
<div class="body">
<p class="meta"><a href="#{}"><code>{}</code></a></p>
`, c.Severity, c.Severity, c.Text, c.Check.ID, c.Check.ID)
		w.places(c)
		w.put(`
</div>
</article>`)
	}
}

func (w *writer) method() {
	w.put(`
<section id="method" aria-labelledby="method-h">
<h2 id="method-h">How the score is computed</h2>
<p>Each check weighs by its own severity: high 9, medium 3, low 1. Over the checks that have a result that counts:</p>
<pre class="formula">share    = pass / (pass + fail + waived + not assessed)
ready    = sum(weight × share) / sum(weight)
up to    = the same, with not assessed counted as pass
assessed = 100 % − (up to − ready)</pre>
<p>Here: ready {} %, up to {} %, assessed {} %. The four numbers of each check stand in the tables above. Percentages are rounded to one decimal; only the whole is 100. Consequences, what never runs in production and checks marked “not scored” do not count. The number rises only by looking or by mending: what nobody could tell counts against it.</p>`,
		report.Percent(w.Score.Ready), report.Percent(w.Score.UpTo), report.Percent(w.Score.Assessed))
	if w.Partial {
		w.put(`
<p>This scan was cut short, and has no score of the whole: these are the numbers of what was read until then. Those of the whole may be higher or lower.</p>`)
	}
	w.put(`
<p>Severities: high is a written line or setting that destroys, diverts or stops evidence; medium is evidence lost by omission; low is weaker evidence.</p>
<h3>Policy</h3>
<table class="stack policy">
<caption class="aside">The numbers that the checks judge by</caption>
<thead><tr><th scope="col">What is asked</th><th scope="col">Bar</th></tr></thead>
<tbody>
<tr><th scope="row">Records are kept</th><td>{}</td></tr>
<tr><th scope="row">Of these, at hand</th><td>{}</td></tr>
<tr><th scope="row">At hand means: had back within</th><td>{}</td></tr>
<tr><th scope="row">A finished job can be looked at for</th><td>{}</td></tr>
<tr><th scope="row">The least buffer of a log driver that may drop</th><td>{}</td></tr>
<tr><th scope="row">Records last arrived, where some are due</th><td>{} ago</td></tr>
<tr><th scope="row">Who may stop, shorten or delete records of an account</th><td>{}</td></tr>
</tbody>
</table>
</section>
`,
		days(w.Policy.Retain), days(w.Policy.Searchable), span(w.Policy.RestoreWithin), span(w.Policy.FinishedStays), checks.Size(w.Policy.Buffer),
		span(w.Policy.Fresh), count(w.Policy.Hands, "user, role or group", "users, roles and groups"))
}

func (w *writer) limits() {
	w.put(`
<section id="limits" aria-labelledby="limits-h">
<h2 id="limits-h">What this report is not</h2>
<ul>
<li>It reads configuration as it stood at {}. It says nothing about the time before or after.</li>
<li>It is no proof that records were kept, or that they are complete: no log was opened.</li>
<li>A pass means that the fact it cites was seen at the place it names. “Not assessed” means that nobody could tell; it is neither a pass nor a failure.</li>
<li>What was not scanned is not in it.</li>
<li>Names are shown as they were found. What does not print is written as its code, and a text of more than 2,000 bytes is cut; results.json has all of it.</li>
</ul>
</section>`, date(w.Ended))
}

// said writes a result: what is, of what, and where it was seen.
func (w *writer) said(res checks.Result) {
	w.put(`<div class="message">{}</div><div class="where"><span class="kind">{}</span> <code>{}</code>`, res.Message, res.Subject.Kind, res.Subject.ID)
	if at := where(w.Cite(res)); at != "" {
		w.put(`, seen at <code>{}</code>`, at)
	}
	w.marks(res, res.Message)
	w.put(`</div>`)
}

// places writes on a line of its own where a cause lies: target by target, folded where they are many.
func (w *writer) places(c cause) {
	if c.Fold {
		w.put(`<details>
<summary>{}</summary>`, count(c.Subjects, "place", "places"))
	}
	w.put(`
<ul class="targets">`)
	for _, p := range c.Places {
		w.put(`
<li><code class="target">{}</code>`, target(p.Target))
		if p.Total == 1 {
			w.put(` `)
			w.seen(c, p.Results[0])
			w.put(`</li>`)
			continue
		}
		w.put(` <span class="note">({})</span>
<ul>`, p.Total)
		for _, res := range p.Results {
			w.put(`
<li>`)
			w.seen(c, res)
			w.put(`</li>`)
		}
		w.put(`
</ul></li>`)
	}
	w.put(`
</ul>`)
	w.more(c.More)
	if c.Fold {
		w.put(`
</details>`)
	}
}

// seen writes what one result of a cause is about, and where that was seen.
func (w *writer) seen(c cause, res checks.Result) {
	said := c.Text
	if c.Each {
		said = res.Message
		w.put(`<span class="message">{}</span>`, res.Message)
	} else if !strings.HasSuffix(res.Subject.ID.Target(), "/"+res.Subject.Name) { // a region's name is its target's
		w.put(`<bdi>{}</bdi>`, res.Subject.Name)
	}
	if at := where(w.Cite(res)); at != "" {
		w.put(` <code>{}</code>`, at)
	}
	w.marks(res, said)
}

// target names a target for a reader: buckets lie in "aws:", which has no account in it.
func target(name string) string { return strings.TrimSuffix(name, ":") }

// marks writes what else there is to say of a result.
func (w *writer) marks(res checks.Result, said string) {
	w.note(note(res, said))
	if res.Follows != "" {
		w.put(`, follows from <a href="#{}"><code>{}</code></a>`, res.Follows, res.Follows)
		if res.Development {
			w.put(`, never runs in production`)
		}
	}
	if res.Outcome == checks.Fail && w.Known[report.Key(res.Check.ID, res.Subject.ID)] {
		w.put(`, in the baseline`)
	}
}

func (w *writer) origin(at evidence.Origin) {
	if seen := where(at); seen != "" {
		w.put(`<code>{}</code>`, seen)
	}
	w.note(at.Note)
}

func (w *writer) note(text string) {
	if text != "" {
		w.put(` <span class="note">({})</span>`, text)
	}
}

// more counts what is left out.
func (w *writer) more(n int) {
	if n > 0 {
		w.put(`
<p class="more">and {} more in results.json</p>`, n)
	}
}
