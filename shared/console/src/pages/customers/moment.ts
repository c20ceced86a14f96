/* Moments between the API (UTC) and a field of the browser (local time, without a zone). */

export function toLocal(at: string): string {
	const when = new Date(at);
	if (at === "" || Number.isNaN(when.getTime()))
		return "";
	const two = (n: number) => String(n).padStart(2, "0");
	const day = `${String(when.getFullYear()).padStart(4, "0")}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
	return `${day}T${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`;
}

export function fromLocal(text: string): string {
	const when = new Date(text);
	return text === "" || Number.isNaN(when.getTime()) ? "" : when.toISOString();
}
