declare module "virtual:theme.css";
declare module "*.module.css" {
	const classes: Record<string, string>;
	export default classes;
}
