/* Before the first paint, so that a dark console does not flash white. The key is that of app/theme.ts. */
(function () {
	var wanted = null;
	try {
		wanted = localStorage.getItem("bimodal.scheme");
	} catch (e) {
		/* storage is refused: the system's choice holds */
	}
	var dark = wanted === "dark" || (wanted !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
	document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
