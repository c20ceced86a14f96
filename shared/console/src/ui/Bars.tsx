/*
 * A small bar chart. Of ECharts only what it needs, and only by import(): see <LazyBars>. It draws on a canvas in the colours of the page,
 * which says nothing to those who do not see it: whoever shows it gives a summary, and the figures as a table beside it.
 */
import { useEffect, useRef } from "react";
import { BarChart, type BarSeriesOption } from "echarts/charts";
import { GridComponent, type GridComponentOption, TooltipComponent, type TooltipComponentOption } from "echarts/components";
import { type ComposeOption, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import classes from "./ui.module.css";

use([BarChart, GridComponent, TooltipComponent, CanvasRenderer]);

type Option = ComposeOption<BarSeriesOption | GridComponentOption | TooltipComponentOption>;

export interface Bar {
	/** At the axis; a line feed begins a second line. */
	readonly label: string;
	readonly value: number;
	/** All of it in words: "March 2026: 9 interactions". */
	readonly said: string;
}

const BAR_MAX_PX = 34;
const TEXT_PX = 12;

function optionOf(bars: readonly Bar[], place: HTMLElement): Option {
	const style = getComputedStyle(place);
	const colour = (name: string) => style.getPropertyValue(name).trim();
	const dimmed = colour("--mantine-color-dimmed");
	return {
		animation: false,
		textStyle: { fontFamily: style.fontFamily, fontSize: TEXT_PX },
		grid: { left: 0, right: 0, top: 8, bottom: 0, containLabel: true },
		xAxis: {
			type: "category",
			data: bars.map((b) => b.label),
			axisTick: { show: false },
			axisLine: { lineStyle: { color: colour("--line-strong") } },
			axisLabel: { color: dimmed, lineHeight: TEXT_PX + 3, hideOverlap: true },
		},
		yAxis: { type: "value", minInterval: 1, splitNumber: 3, axisLabel: { color: dimmed }, splitLine: { lineStyle: { color: colour("--line") } } },
		tooltip: {
			trigger: "axis",
			/* As HTML it would write style attributes, which our Content-Security-Policy refuses. */
			renderMode: "richText",
			confine: true,
			axisPointer: { type: "shadow", shadowStyle: { color: colour("--line"), opacity: 0.5 } },
			backgroundColor: colour("--raised"),
			borderColor: colour("--line-strong"),
			textStyle: { color: colour("--mantine-color-text"), fontSize: TEXT_PX + 1 },
			formatter: (at) => bars[(Array.isArray(at) ? at[0] : at)?.dataIndex ?? -1]?.said ?? "",
		},
		series: [{ type: "bar", data: bars.map((b) => b.value), barMaxWidth: BAR_MAX_PX, itemStyle: { color: colour("--mode-core"), borderRadius: [3, 3, 0, 0] }, cursor: "default" }],
	};
}

export function Bars({ bars, summary }: { bars: readonly Bar[]; summary: string }) {
	const place = useRef<HTMLDivElement>(null);
	useEffect(() => {
		const element = place.current;
		if (element === null)
			return;
		const chart = init(element, null, { renderer: "canvas" });
		const draw = () => {
			/* What is pointed at keeps the colours that it came in. */
			chart.dispatchAction({ type: "hideTip" });
			chart.setOption(optionOf(bars, element));
		};
		draw();
		const size = new ResizeObserver(() => chart.resize());
		size.observe(element);
		/* Light or dark, by choice or by the system. */
		const scheme = new MutationObserver(draw);
		scheme.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
		return () => {
			size.disconnect();
			scheme.disconnect();
			chart.dispose();
		};
	}, [bars]);
	return <div ref={place} className={classes.bars} role="img" aria-label={summary} />;
}
