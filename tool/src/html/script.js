
"use strict";
// Sorts a table by the column whose name is clicked: numbers the largest first, words from A, and the other way round
// if it is clicked again. What has no value stays last, rows that sum up others stay below.
for (const table of document.querySelectorAll("table")) {
	const body = table.tBodies[0];
	const heads = table.tHead.rows[0].querySelectorAll("th");
	heads.forEach((head, column) => {
		const button = document.createElement("button");
		button.type = "button";
		button.append(...head.childNodes);
		head.append(button);
		button.addEventListener("click", () => {
			const number = head.classList.contains("n");
			const before = head.getAttribute("aria-sort");
			const down = before ? before === "ascending" : number;
			const worth = (row) => {
				const cell = row.cells[column];
				if (!number) return cell.textContent;
				return cell.dataset.n === undefined ? undefined : Number(cell.dataset.n);
			};
			const compare = (a, b) => {
				const [x, y] = [worth(a), worth(b)];
				if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
				const order = number ? (x > y) - (x < y) : x.localeCompare(y, "en", { numeric: true });
				return down ? -order : order;
			};
			for (const other of heads) other.removeAttribute("aria-sort");
			head.setAttribute("aria-sort", down ? "descending" : "ascending");
			body.append(...[...body.rows].sort(compare));
		});
	});
}
// What is folded is printed all the same.
let folded = [];
addEventListener("beforeprint", () => {
	folded = [...document.querySelectorAll("details:not([open])")];
	for (const part of folded) part.open = true;
});
addEventListener("afterprint", () => {
	for (const part of folded) part.open = false;
});
