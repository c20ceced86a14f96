/* The console begins here: styles in their order, then the app. */
import "@mantine/core/styles.css";
import "virtual:theme.css";
import "./app/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";

const place = document.getElementById("console");
if (place === null)
	throw new Error("index.html has no #console");
createRoot(place).render(
	<StrictMode>
		<App />
	</StrictMode>,
);
